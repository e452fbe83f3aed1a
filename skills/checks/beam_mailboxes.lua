--- What an expert looks for in the mailboxes of a node. One look finds the queue worth a close
--- one, the close look says what its process does with it, in one word and never in two.
---
--- A burst drains, so growth counts only where it goes on at the second look and the queue was
--- never empty in between. Whether a process takes messages at all is measured, not guessed.

local words = ...
local module_of, object, cite, row_of, share, step =
  words.module_of, words.object, words.cite, words.row_of, words.share, words.step

local FIRST, CLOSE = 1500, 2000 -- milliseconds

-- Functions of OTP in which a process waits for something other than its next message: the
-- clock, another process, a socket, a file. Who stands there is in the midst of handling.
local WAITS_IN = { timer = true, gen = true, gen_server = true, gen_statem = true, prim_inet = true, gen_tcp = true,
  gen_udp = true, ssl = true, ssl_gen_statem = true, tls_sender = true, prim_file = true, file = true, httpc = true,
  erlang = true, erts_internal = true, rpc = true, erpc = true, global = true, io = true, io_lib = true,
  code_server = true, logger = true, socket = true, prim_socket = true, lists = true, Task = true, GenServer = true }

local function most(rows, key, least)
  local best
  for _, row in ipairs(rows or {}) do
    if (row[key] or 0) >= least and (not best or row[key] > best[key]) then best = row end
  end
  return best
end

local function per_second(delta, seconds) return math.floor(delta / math.max(seconds, 0.001) + 0.5) end


local QUEUES = { "beam_queue_growth", FIRST, 10 }
local LONG = 1000      -- messages; what is shorter and stands still is traffic
local GROWS = 20       -- messages gained in a window, below which nothing is said of growth
local WAITING = 5      -- callers who wait at one server all the while; with fewer it is just at work
local PART = 0.1       -- of its mailbox: those who wait still, for the requests of who gave up stay there

local function watch(pid) return { "beam_watch_process", pid, CLOSE } end

-- The mailbox most worth a close look: the one that gained most, else the longest.
local function suspicious_mailbox(results)
  local rows = results[1].processes
  local row = most(rows, "queue_growth", GROWS) or most(rows, "final_queue", 2 * WAITING)
  return row and watch(row.pid)
end

-- Growth at both looks, and never near empty in between: a burst drains. Of a long mailbox that nobody was seen
-- to take from every message more counts.
local function grows(row, w)
  local least = w.taken_at_least == 0 and w.queue_min >= LONG and 1 or GROWS
  return row.queue_growth >= least and w.queue_last - w.queue_first >= least and w.queue_first > 0
    and w.queue_min >= 0.8 * w.queue_first
end

-- The loops of the behaviours of OTP, which take every message, and what they call a handler from: who has one of
-- these below itself is in the midst of handling.
local HANDLES = { "^gen_server:try_", "^gen_server:handle_", "^gen_statem:loop_", "^gen_event:server_",
  "^gen_event:notify" }

local function stands_in(w, pattern)
  for _, frame in ipairs(w.stack) do
    if frame:find(pattern) then return true end
  end
  return false
end

local function starts_child(w)
  for _, frame in ipairs(w.stack) do
    if words.supervises(frame) then return true end
  end
  return false
end

local function in_handler(w)
  for _, pattern in ipairs(HANDLES) do
    if stands_in(w, pattern) then return true end
  end
  return starts_child(w)
end

-- Most of what comes is what its own sockets read: it asked for all of it at once.
local function from_sockets(w)
  return (w.active_sockets or 0) > 0
    and w.socket_messages >= 0.5 * (w.queue_last - w.queue_first + w.taken_at_least)
end

-- Why a mailbox grows. What cannot run is told before what runs, and that before what waits.
local function growing_word(w)
  local top, busy = module_of(w.stack[1]), share(w, "running", "runnable")
  -- A port that is full suspends who writes to it; then the stack ends in the driver's call.
  if share(w, "suspended") >= 80 then return WAITS_IN[top] and "other" or "process_suspended" end
  if top == "sys" then return "sys_suspended" end
  -- Who waits while messages lie there was shown them all, and matches none. On a full node it is runnable at most
  -- looks, for each message that comes wakes it.
  if w.taken_at_least == 0 and share(w, "waiting") >= 20 and top ~= "timer" then
    if WAITS_IN[top] or in_handler(w) then return "other" end
    return w.functions[1].share_pct >= 95 and "unhandled_messages" or "other"
  end
  if w.taken_at_least == 0 and busy < 80 and top ~= "timer" then return "other" end
  return from_sockets(w) and "active_socket_flood" or "slow_consumer"
end

-- Whether it works its queue off: would what it was seen to take, which of a busy process is some
-- sixteenth of what it takes, have emptied the mailbox within ten minutes?
local function works_off(w, queue) return queue < 600 * w.taken_at_least / w.seconds end

-- Callers wait at it all the while, and some of them for half of it, a second: a fifth of what gen_server:call is
-- patient for by itself. What is taken does not tell how long: a mailbox whose callers come again at once stands still
-- while all of them are served. One that grows by them tells: each who comes waits longer than the one before. Who
-- answers nobody since he himself waits in a call is held up by another; what a supervisor waits for, sup tells.
local function serves_slowly(row, w)
  local callers = w.callers or 0
  if callers < WAITING or callers < PART * w.queue_min or w.queue_min < WAITING
    or (w.callers_held or 0) == 0 and not grows(row, w) then return false end
  if share(w, "suspended") >= 80 or module_of(w.stack[1]) == "sys" or starts_child(w) then return false end
  return w.taken_at_least > 0 or in_handler(w) and not w.stack[1]:find "^gen:"
end

-- A queue of so many is everybody's trouble at once. A shorter one, which a batch makes as well, is so where the server
-- has been at work for long, by what it worked in its life at the pace of now. Of ten and fewer, hot_process tells.
local EVERYBODY, SOME, LONG_S = 50, 11, 15

local function everybody_waits(row, w)
  if w.queue_min >= EVERYBODY then return true end
  return w.queue_min >= SOME and (row.reductions or 0) >= LONG_S * math.max(1, w.reductions_per_sec)
end

--- What a watched process is doing with its mailbox, in one word; nil when all is well with it.
local function mailbox_word(row, w)
  local busy = share(w, "running", "runnable")
  if serves_slowly(row, w) then return "slow_server" end
  if busy >= 80 and w.queue_min >= 10 * LONG and not works_off(w, w.queue_min)
    and w.queue_last - w.queue_first < 0.1 * w.queue_first then return "selective_receive_scan" end
  if grows(row, w) then return growing_word(w) end
  if busy >= 80 and everybody_waits(row, w) and w.taken_at_least >= 10 * w.seconds and works_off(w, w.queue_max) then
    return "serialising_process"
  end
  -- On a machine that is full senders may get no time while one looks; what is long and stays long is not well.
  if w.queue_min >= 10 * LONG and not works_off(w, w.queue_min) then return "other" end
end

local function mailbox_figures(results, i)
  local row = ("processes[%d]."):format(i)
  return cite(results, { { 2, "queue_last" }, { 2, "queue_first" }, { 2, "taken_at_least" }, { 2, "seconds" },
    { 2, "statuses[1].status" }, { 2, "functions[1].current_function" }, { 2, "reductions_per_sec" },
    { 2, "callers" }, { 2, "callers_held" }, { 2, "socket_messages" }, { 2, "queue_min" },
    { 1, row .. "queue_growth" }, { 1, row .. "final_queue" } })
end

--- A check of one mailbox word. `tell` says what was found, for an on-call person to read.
local function mailbox_check(word, expert, tell)
  return {
    id = word, mechanism = word, expert = expert, suspect = words.mail_waits,
    look = { QUEUES, suspicious_mailbox },
    confirm = function(results)
      local w = results[2]
      local row, i = row_of(results[1].processes, "pid", w.pid)
      if not row or mailbox_word(row, w) ~= word then return end
      local finding = tell(row, w, per_second(w.queue_last - w.queue_first, w.seconds))
      finding.object = finding.object or w.name or object(row)
      finding.since = grows(row, w) and words.since(w.queue_last, per_second(w.queue_last - w.queue_first, w.seconds))
        or nil
      finding.figures = mailbox_figures(results, i)
      finding.severity = finding.severity or w.queue_last >= 100 * LONG and "critical" or "warning"
      return finding
    end,
  }
end

-- What is known of its taking is a lower bound, and told as one.
local function taken(w)
  if w.taken_at_least == 0 then return ("was not seen to take any in %.1f s"):format(w.seconds) end
  return ("took at least %d out in %.1f s"):format(w.taken_at_least, w.seconds)
end

local function stands(w) return ("%s (%s)"):format(w.functions[1].current_function, w.statuses[1].status) end

local slow_consumer = mailbox_check("slow_consumer",
  "A mailbox that grows at two looks while its process takes messages: the handler is slower than the senders.",
  function(row, w, rate)
    local name = object(row)
    return {
      confidence = (w.taken_at_least > 0 or module_of(w.stack[1]) == "timer") and "high" or "medium",
      hypothesis = ("The queue of %s grows by %d messages a second (%d now), while it %s: it handles them more slowly "
        .. "than they come. While handling it is in %s; nothing slows the senders down."):format(name, rate,
        w.queue_last, taken(w), stands(w)),
      unlike = {
        bursty_mailbox = ("a burst drains; this queue never fell below %d in %.1f s and ended at %d"):format(
          w.queue_min, w.seconds, w.queue_last),
        unhandled_messages = w.taken_at_least > 0 and ("it %s"):format(taken(w))
          or ("it stands inside its handler, in %s"):format(w.stack[1]),
        selective_receive_scan = ("it is busy %d %% of the time, and the queue grows instead of standing"):format(
          share(w, "running", "runnable")),
        process_suspended = ("its state is %s, not suspended"):format(w.statuses[1].status),
      },
      next_steps = {
        step(("find what blocks the handler: %s is where it spends its time"):format(w.stack[1])),
        step("let senders wait (call instead of cast), or bound the queue and drop what is too much", "CAUTION"),
        step(("restarting %s frees the memory and loses the %d messages in its queue"):format(name, w.queue_last),
          "DANGEROUS"),
      },
    }
  end)

local slow_server = mailbox_check("slow_server",
  "Callers that wait at one server, some of them for seconds: what it does in a call takes too long.",
  function(row, w)
    local name = object(row)
    local late = ("each who comes waits longer, for the queue grew from %d"):format(w.queue_first)
    if (w.callers_held or 0) > 0 then
      late = ("%d of the callers looked at got no answer in the first %.1f s"):format(w.callers_held, w.seconds / 2)
    end
    return {
      -- Where it waits for another itself, overload follows it to the end.
      confidence = w.taken_at_least > 0 and not stands_in(w, "^gen:do_call") and "high" or "medium",
      hypothesis = ("%d processes wait in a call to %s and %d requests lie before it, never fewer than %d in %.1f s: "
        .. "it %s, and %s. While it handles one it is in %s."):format(w.callers, name, w.queue_last, w.queue_min,
        w.seconds, taken(w), late, stands(w)),
      unlike = {
        serialising_process = ("a server that is only busy answers fast; here %s"):format(late),
        slow_consumer = ("its senders wait for it: %d of them stand in a call"):format(w.callers),
        call_deadlock = ("it %s, and waits for nobody who waits for it"):format(taken(w)),
        long_poll_callers = ("who lets callers wait on purpose has an empty mailbox; here %d requests lie unread")
          :format(w.queue_min),
      },
      next_steps = {
        step(("see what %s does in a call: %s"):format(name, table.concat(w.stack, " < ", 1, math.min(3, #w.stack)))),
        step("let a process of its own do the slow part, and answer with gen_server:reply when it is done", "CAUTION"),
        step("more of them behind a pool, or a cache for what is only read", "CAUTION"),
      },
    }
  end)

local flood = mailbox_check("active_socket_flood",
  "A mailbox that grows by what its own sockets read: they are in active mode, so nothing slows down who sends.",
  function(row, w, rate)
    local name = object(row)
    return {
      confidence = "high",
      hypothesis = ("%s gets %d messages from its %d active sockets in %.1f s and %s: its queue grows by %d a second "
        .. "(%d now). In active mode a socket reads whatever comes, so who sends is never slowed down."):format(name,
        w.socket_messages, w.active_sockets, w.seconds, taken(w), rate, w.queue_last),
      unlike = {
        slow_consumer = ("what comes is not sent by processes: %d messages came from sockets"):format(
          w.socket_messages),
        unhandled_messages = ("it %s"):format(taken(w)),
        bursty_mailbox = ("the queue never fell below %d"):format(w.queue_min),
        slow_reader = "it is this node that does not keep up with reading, not the other side",
      },
      next_steps = {
        step "see who sends: ports_list_inet has the other ends",
        step("read with {active, once} or {active, N}, so that the other side has to wait", "CAUTION"),
        step(("ending %s closes its sockets and loses its queue"):format(name), "DANGEROUS"),
      },
    }
  end)

local scan = mailbox_check("selective_receive_scan",
  "A long mailbox that stands still while its process burns a scheduler: a receive that never matches its head.",
  function(row, w)
    return {
      confidence = "high",
      hypothesis = ("%s has %d messages that its receive does not match and walks through all of them at every "
        .. "receive: it runs without pause and %s."):format(object(row), w.queue_last, taken(w)),
      unlike = {
        hot_process = ("the mailbox of a plain busy loop is empty; this one never held less than %d"):format(
          w.queue_min),
        slow_consumer = ("the queue of a slow consumer grows; this one went from %d to %d in %.1f s"):format(
          w.queue_first, w.queue_last, w.seconds),
        serialising_process = "a busy server takes its messages out; here they stay",
      },
      next_steps = {
        step(("look at the receive in %s: which messages does no clause take?"):format(
          w.functions[1].current_function)),
        step("add a clause that takes what is not expected, or match on a reference made just before the receive",
          "CAUTION"),
        step("restart the process to be rid of the queue", "DANGEROUS"),
      },
    }
  end)

local unhandled = mailbox_check("unhandled_messages",
  "A mailbox that only grows while its process waits in its own receive: no clause takes what arrives.",
  function(row, w, rate)
    return {
      -- Deeper in its stack it may be a handler that waits, and so slow that no taking was seen.
      confidence = (#w.stack == 1 or module_of(w.stack[2]) == "proc_lib") and "high" or "medium",
      hypothesis = ("The queue of %s grows by %d messages a second (%d now) and none was seen to be taken out: it "
        .. "waits in %s for something else, so they pile up."):format(object(row), rate, w.queue_last,
        w.functions[1].current_function),
      unlike = {
        slow_consumer = ("a slow consumer takes some; this one %s, and it works %d reductions a second"):format(
          taken(w), w.reductions_per_sec),
        process_suspended = ("its state is %s: it could run"):format(w.statuses[1].status),
        selective_receive_scan = ("it is not busy: running %d %% of the looks"):format(share(w, "running", "runnable")),
        bursty_mailbox = ("the queue never fell below %d"):format(w.queue_min),
      },
      next_steps = {
        step(("see what arrives and which clauses %s has; late replies after a timed-out call are the usual guest")
          :format(w.functions[1].current_function)),
        step("add a last clause that takes and counts everything else", "CAUTION"),
        step("restart the process to be rid of the queue", "DANGEROUS"),
      },
    }
  end)

local suspended = mailbox_check("process_suspended",
  "A mailbox that grows while its process is suspended: nothing in it can be slow, it is not allowed to run.",
  function(row, w, rate)
    return {
      confidence = "medium",
      hypothesis = ("%s is suspended and does nothing, while its queue grows by %d a second (%d wait now): somebody "
        .. "called erlang:suspend_process on it, a debugger for one."):format(object(row), rate, w.queue_last),
      unlike = {
        slow_consumer = ("a slow consumer runs; this one was suspended in %d %% of the looks"):format(
          share(w, "suspended")),
        slow_reader = ("a full socket suspends its writer inside the send; this one stands in %s"):format(
          w.functions[1].current_function),
      },
      next_steps = { step "find who suspended it: a debugger, a tracer, a console left open",
        step("resume it, or end the process that suspended it", "DANGEROUS") },
    }
  end)

local sys_suspended = mailbox_check("sys_suspended",
  "A mailbox that grows while its process stands in sys:suspend_loop.",
  function(row, _, rate)
    return {
      confidence = "high",
      hypothesis = ("%s was suspended through sys and handles nothing, while its queue grows by %d a second."):format(
        object(row), rate),
      unlike = { process_suspended = "its state is not suspended: it waits in the loop of sys",
        slow_consumer = "it is in no handler" },
      next_steps = { step "find who called sys:suspend on it: an upgrade that did not finish, a console",
        step("sys:resume it", "CAUTION") },
    }
  end)

local serialising = mailbox_check("serialising_process",
  "A server that is always busy with a steady queue: every request passes through one process.",
  function(row, w)
    return {
      confidence = "medium",
      hypothesis = ("%s is never idle and its queue stands at about %d: it handles one request after the other (it "
        .. "%s), which is all that one process can, and everybody waits for it."):format(object(row), w.queue_last,
        taken(w)),
      unlike = {
        slow_consumer = ("the queue does not grow: %d, then %d"):format(w.queue_first, w.queue_last),
        hot_process = ("it works off requests: it %s"):format(taken(w)),
        selective_receive_scan = "its messages are taken out",
      },
      next_steps = {
        step("see what it does in each request: " .. table.concat(w.stack, " < ", 1, math.min(3, #w.stack))),
        step("shard it, or move what is only read into an ETS table", "CAUTION"),
      },
    }
  end)

local unexplained = mailbox_check("other",
  "A mailbox that grows while its process stands in a call or a send, or is long and stays so: accuse nobody.",
  function(row, w, rate)
    local growing = grows(row, w)
    local text = growing and "The mailbox of %s grows by %d a second (%d now) while it is in %s: it waits for somebody "
      .. "else, and who that is was not seen." or "The mailbox of %s changed by %d messages a second and holds %d, "
      .. "while it is in %s: it is not worked off, and whether it grows was not to be seen in so short a look."
    return {
      severity = "warning", confidence = "low",
      hypothesis = text:format(object(row), rate, w.queue_last, stands(w)),
      unlike = { slow_consumer = growing and ("it %s"):format(taken(w)) or ("it grew by %d in %.1f s"):format(
        w.queue_last - w.queue_first, w.seconds) },
      next_steps = { growing and step("see whom it waits for: beam_process_info of it, then of the one it calls")
        or step("look again in a minute: beam_queue_growth tells whether it became longer") },
    }
  end)
unexplained.id, unexplained.yields_to = "unexplained_mailbox", { ["*"] = "any" }

slow_consumer.symptom_of, slow_server.symptom_of = { "cpu_saturation" }, { "cpu_saturation" }
-- The tracer of a trace that was left on is slow, and no slow consumer.
slow_consumer.yields_to, unhandled.yields_to = { tracing_left_on = "same" }, { tracing_left_on = "same" }

return { slow_consumer, slow_server, flood, scan, unhandled, suspended, sys_suspended, serialising, unexplained }
