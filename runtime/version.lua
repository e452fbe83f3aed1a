--- The version of the program; CHANGELOG.md says what is in it.
return "0.1.0"
