--- What our own Erlang texts do that the classifier cannot follow, or rightly calls dangerous in the hand of
--- anybody else, each read by people and why it is no more than that. It holds for texts that we ship,
--- known by their hash, and for no others. A spec keeps it whole: nothing in any text of ours is above
--- what its callback declares but by an entry here, and there is no entry without a text.

return {
  { what = "erlang:process_info/2", class = "SAFE", why = "what is asked for stands in the same text or comes from our "
    .. "own Lua, never from a model; a spec finds `messages` in none of them" },
  { what = "erlang:binary_to_term/1", class = "SAFE", why = "of what the same text packed with term_to_binary to keep "
    .. "its heap small, and of atoms by their number; nothing comes from outside" },
  { what = "erlang:binary_to_existing_atom/1", class = "SAFE", why = "a name that a person or the model gave is looked "
    .. "up as one; no map is made with it" },
  { what = "erlang:list_to_existing_atom/1", class = "SAFE", why = "the same for the names of Elixir's modules" },
  { what = "receive", class = "SAFE", why = "waits in the process that asks, which has a mailbox of its own; the one "
    .. "without `after` ends with the process that it watches over" },
  { what = "a call", class = "SAFE", why = "funs that the text keeps in tuples and maps of its own; the module is a "
    .. "repo that Ecto's registry named, and its functions are written there" },
  { what = "F(…)", class = "SAFE", why = "a fun of the text, handed from one of its funs to another" },
  { what = "L(…)", class = "SAFE", why = "a fun of the text, handed from one of its funs to another" },
  { what = "M(…)", class = "SAFE", why = "a fun of the text: makes the call that asks a supervisor for its children" },
  { what = "N(…)", class = "SAFE", why = "a fun of the text: counts a list" },
  { what = "R(…)", class = "SAFE", why = "a fun of the text: reads a counter" },
  { what = "V(…)", class = "SAFE", why = "a fun of the text: reads a field of a list that it has" },
  { what = "erlang:apply/2", class = "SAFE", why = "process_info, the clock and a wait, strung together from compiled "
    .. "functions so that the looks lie close together; which, the text says" },
  { what = "!", class = "SAFE", why = "a supervisor is asked for its children, as supervisor:which_children does, and "
    .. "a reader of RabbitMQ's for its state, as rabbit_reader:info does; nobody else is sent anything" },
  { what = "erlang:send/2", class = "SAFE", why = "to the process that asks, of itself" },
  { what = "gen:wait_response/2", class = "SAFE", why = "waits for an answer that never comes: a nap, compiled" },
  { what = "prim_eval:receive/2", class = "SAFE", why = "the same on an OTP that has no wait_response" },
  { what = "gen_server:call/3", class = "SAFE", why = "memsup is asked for the figures that it keeps; 2 s at most" },
  { what = "prim_file:read_file/1", class = "SAFE", why = "files of /proc and /sys/fs/cgroup whose paths are ours, "
    .. "each below 64 KiB" },
  { what = "prim_file:read_link/1", class = "SAFE", why = "where a descriptor of the node's own leads: the path is "
    .. "ours, but for its number" },
  { what = "DBConnection.get_connection_metrics/1", class = "SAFE", why = "asks a pool that its own registry named" },
  { what = "rabbit_alarm:get_alarms/0", class = "SAFE", why = "asks RabbitMQ for its alarms, as its own tools do" },
  { what = "vm_memory_monitor:get_memory_limit/0", class = "SAFE", why = "a figure that RabbitMQ keeps" },
  { what = "vm_memory_monitor:get_vm_memory_high_watermark/0", class = "SAFE", why = "a setting that RabbitMQ keeps" },
  { what = "erlang:check_process_code/3", class = "SAFE", why = "asks a process whether it runs old code, without a "
    .. "collection of its garbage; nothing is purged, and nobody ended" },
  { what = "erlang:trace/3", class = "CAUTION", why = "of the collections of one process that nobody traces, by the "
    .. "process that asks: the flag goes when it ends, however it ends" },
}
