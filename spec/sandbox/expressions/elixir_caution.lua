--- Elixir with a side effect that passes.

return {
  ":erlang.garbage_collect(self())", "Process.list() |> Enum.each(&:erlang.garbage_collect/1)",
  "for p <- Process.list(), do: :erlang.garbage_collect(p)", ":recon.bin_leak(5)", ":sys.trace(:elixir_sup, true)",
  ":erlang.system_flag(:backtrace_depth, 8)", "apply(:erlang, :garbage_collect, [self()])",
  "f = &:erlang.garbage_collect/1; Enum.map(Process.list(), f)",
  "gc = :erlang; p = self(); :erlang.garbage_collect(p)",
  "with true <- :erlang.garbage_collect(self()), do: :ok", "if :erlang.garbage_collect(self()), do: Process.list()",
  "try do :sys.trace(:elixir_sup, false) rescue e -> e end", "self() |> :erlang.garbage_collect()",
  ":erpc.call(node(), :erlang, :memory, [])",
}
