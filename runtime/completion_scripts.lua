--- What each shell is told so that it completes: all ask the program itself what may stand next, by
--- `completions words -- WORD…`, whose last word is the one under the cursor. It answers with a word on each line, a
--- tab and what is said of it; with `:file` or `:folder` where the shell knows better.

local scripts = {}

-- bash breaks words at : = and @ as well, and puts what is offered in the place of the last piece only.
scripts.bash = [=[
# bash: source <(beamlens-run completions bash), or as /usr/share/bash-completion/completions/beamlens-run
_beamlens_run() {
  local line=${COMP_LINE:0:COMP_POINT} words current before word said
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current=${words[${#words[@]}-1]}
  before=${current%"$2"}
  COMPREPLY=()
  while IFS=$'\t' read -r word said; do
    case $word in
      :file) compopt -o default 2> /dev/null ;;
      :folder) compopt -o dirnames 2> /dev/null ;;
      *) COMPREPLY+=("${word#"$before"}") ;;
    esac
  done < <("${1/#\~\//$HOME/}" completions words -- "${words[@]:1}" 2> /dev/null)
  [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[:=] ]] && compopt -o nospace 2> /dev/null
  return 0
}
complete -F _beamlens_run beamlens-run
]=]

scripts.zsh = [=[
#compdef beamlens-run
# zsh: source <(beamlens-run completions zsh), or as _beamlens-run in a folder of $fpath
_beamlens-run() {
  local line word said
  local -a offered described
  for line in "${(@f)$("${(Q)~words[1]}" completions words -- "${(@Q)words[2,CURRENT]}" 2> /dev/null)}"; do
    word=${line%%$'\t'*} said=${line#*$'\t'}
    case $word in
      '') ;;
      :file) _files; return ;;
      :folder) _files -/; return ;;
      *) offered+=("$word"); described+=("${word//:/\\:}${said:+:$said}") ;;
    esac
  done
  (( $#offered )) || return 1
  [[ $#offered -eq 1 && $offered[1] == *[:=] ]] && compadd -S '' -a offered && return
  _describe -V beamlens-run described
}
if [[ $funcstack[1] == _beamlens-run ]]; then
  _beamlens-run "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
  compdef _beamlens-run beamlens-run
fi
]=]

scripts.fish = [=[
# fish: beamlens-run completions fish | source, or as ~/.config/fish/completions/beamlens-run.fish
function __beamlens_run_words
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l program (string replace -r '^~/' "$HOME/" -- $words[1])
  for line in ($program completions words -- $words[2..-1] "$current" 2> /dev/null)
    switch $line
      case :file
        __fish_complete_path "$current"
      case :folder
        __fish_complete_directories "$current"
      case '*'
        echo $line
    end
  end
end
complete -c beamlens-run -f -k -a '(__beamlens_run_words)'
]=]

return scripts
