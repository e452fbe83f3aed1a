--- What has a node load all that evaluates a question, before files hang there or the rest is starved: a release has it
--- from its boot, a node at work since somebody looked last. On one that has not, nothing can be evaluated then.
return "F = fun(X) -> sys:module_info(X) end, F(module)."
