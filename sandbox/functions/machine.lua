--- What lies beyond the runtime: files, sockets, other nodes, ciphers.

return {
  {
    class = "SAFE", effect = "reads", cost = "asks the file server and the disk",
    why = "tells what files there are, not what is in them",
    functions = {
      file = [[
        get_cwd/0,1 list_dir/1 list_dir_all/1 read_file_info/1,2 read_link/1 read_link_all/1 read_link_info/1,2
        native_name_encoding/0 pid2name/1
      ]],
      filelib = "is_dir/1 is_file/1 is_regular/1 file_size/1 last_modified/1 safe_relative_path/2",
      filename = "absname/1,2",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "walks a part of the disk",
    why = "looks for files by their names",
    functions = {
      filelib = "wildcard/1 wildcard(_,folder) fold_files(_,_,_,fun,_)",
    },
  },
  {
    class = "DANGEROUS", effect = "reads", cost = "as much as the file holds; a device or pipe never ends",
    why = "reads any file that the node may read, its secrets too",
    functions = {
      file = "read_file/1 consult/1 path_consult/2 read/2 read_line/1 pread/2,3 position/2",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "writes to the disk",
    why = "changes files, or opens them to be changed",
    functions = {
      file = [[
        open/2 path_open/3 close/1 write/2 pwrite/2,3 write_file/2,3 delete/1,2 rename/2 copy/2,3 make_dir/1
        make_link/2 make_symlink/2 del_dir/1 del_dir_r/1 set_cwd/1 truncate/1 sync/1 datasync/1 allocate/3 advise/4
        change_group/2 change_mode/2 change_owner/2,3 change_time/2,3 write_file_info/2,3 sendfile/2,5
      ]],
      filelib = "ensure_dir/1 ensure_path/1",
      disk_log = [[
        open/1 close/1 log/2 alog/2 blog/2 balog/2 truncate/1,2 sync/1 reopen/2,3 change_size/2 block/1,2 unblock/1
      ]],
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "unknown",
    why = "runs what is written in a file",
    functions = {
      file = "eval/1,2 script/1,2 path_eval/2,3 path_script/2,3",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "a call to its process",
    why = "tells how a log on disk stands",
    functions = {
      disk_log = "info/1",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "asks a port",
    why = "reads a socket's addresses, options or counters",
    functions = {
      socket = "info/0,1 which_sockets/0 which_sockets(fun?) number_of/0 peername/1 sockname/1 getopt/2,3 i/0,1,2",
      inet = [[
        getstat(handle) getstat(handle,_) peername(handle) peernames(handle) peernames(handle,_) sockname(handle)
        socknames(handle) socknames(handle,_) getopts(handle,_) port(handle) info(handle) socket_to_list(handle)
      ]],
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "small",
    why = "reads how this machine is on the network",
    functions = {
      inet = [[
        gethostname/0 getif/0 getifaddrs/0 getiflist/0 get_rc/0 i/0,1,2 ntoa/1 parse_address/1 parse_ipv4_address/1
        parse_ipv4strict_address/1 parse_ipv6_address/1 parse_ipv6strict_address/1 parse_strict_address/1
        is_ip_address/1 is_ipv4_address/1 is_ipv6_address/1 ipv4_mapped_ipv6_address/1 format_error/1
      ]],
      inet_db = "get_rc/0 res_option/1",
    },
  },
  {
    class = "CAUTION", effect = "reads", cost = "asks a name server, waits for its answer",
    why = "sends a question over the network",
    functions = {
      inet = "getaddr/2,3 getaddrs/2,3 gethostbyname/1,2,3 gethostbyaddr/1,2",
      inet_res = "gethostbyname/1,2,3 getbyname/2,3 lookup/3,4,5 resolve/3,4,5",
      net_adm = "names/0,1 dns_hostname/1 localhost/0",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "unknown",
    why = "changes or closes a socket of the node",
    functions = {
      inet = "setopts/2 close/1 ifset/2 send/2 monitor/1",
      gen_tcp = "connect/2,3,4 listen/2 accept/1,2 send/2 recv/2,3 close/1 shutdown/2 controlling_process/2",
      gen_udp = "open/1,2 send/2,3,4,5 recv/2,3 close/1 controlling_process/2 connect/2,3",
      ssl = "connect/2,3,4 listen/2 send/2 recv/2,3 close/1,2 start/0,1 stop/0",
      httpc = "request/1,2,4,5 set_options/1,2",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "small",
    why = "reads how the node stands in its cluster",
    functions = {
      net_kernel = "get_state/0 get_net_ticktime/0 nodename/0 longnames/0 allowed/0 epmd_module/0 getopts/2",
      erlang = "dist_get_stat/1",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "a call to net_kernel",
    why = "reads how the connections to other nodes stand",
    functions = {
      net_kernel = "nodes_info/0 node_info/1,2 i/0,1",
    },
  },
  {
    class = "CAUTION", effect = "leased", cost = "waits for the other node; the connection stays",
    why = "connects to another node",
    functions = {
      net_kernel = "connect_node/1 hidden_connect_node/1",
      net_adm = "ping/1 world/0,1",
    },
  },
  {
    class = "CAUTION", effect = "leased", cost = "messages to the process that asks",
    why = "is told when nodes come and go",
    functions = {
      erlang = "monitor_node/2,3",
      net_kernel = "monitor_nodes/1,2",
    },
  },
  {
    class = "CAUTION", effect = "leased", cost = "that of what it calls, there; connects to that node",
    why = "calls a function on another node",
    functions = {
      rpc = "call(_,M,F,A) call(_,M,F,A,_) multicall(_,M,F,A) multicall(_,M,F,A,_)",
      erpc = "call(_,M,F,A) call(_,M,F,A,_) multicall(_,M,F,A) multicall(_,M,F,A,_)",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "unknown",
    why = "starts work on other nodes that nobody waits for",
    functions = {
      rpc = [[
        cast/4 block_call/4,5 eval_everywhere/3,4 abcast/2,3 sbcast/2,3 async_call/4 multicall/3
        multi_server_call/2,3 server_call/4 pinfo/1,2 yield/1
      ]],
      erpc = "call/2,3 cast/2,4 multicast/2,4 send_request/2,4,6",
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "unknown",
    why = "changes how the node stands in its cluster",
    functions = {
      erlang = "disconnect_node/1 set_cookie/1,2 setnode/2,3",
      net_kernel = [[
        disconnect/1 stop/0 start/1,2 set_net_ticktime/1,2 allow/1 setopts/2 async_disconnect/1 verbose/1
        publish_on_node/1
      ]],
    },
  },
  {
    class = "DANGEROUS", effect = "reads", cost = "constant",
    why = "the cookie is the key to the cluster",
    functions = {
      erlang = "get_cookie/0,1",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "walks the bytes",
    why = "hashes or checks bytes",
    functions = {
      crypto = [[
        hash/2 hash_init/1 hash_update/2 hash_final/1 mac/3,4 hash_equals/2 supports/0,1 info/0 info_lib/0
        info_fips/0 version/0
      ]],
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "as many bytes as it is asked for",
    why = "makes random bytes",
    functions = {
      crypto = "strong_rand_bytes(bytes) rand_uniform/2 rand_seed/0",
    },
  },
  {
    class = "SAFE", effect = "reads", cost = "walks the bytes",
    why = "packs bytes",
    functions = {
      zlib = "compress/1 gzip/1 zip/1",
    },
  },
  {
    class = "DANGEROUS", effect = "reads", cost = "a thousand times what it is given, outside the heap",
    why = "unpacks bytes, and nobody can say how many",
    functions = {
      zlib = "uncompress/1 gunzip/1 unzip/1",
    },
  },
  {
    class = "DANGEROUS", effect = "reads", cost = "small",
    why = "enciphers with keys that are no business of an inspection",
    functions = {
      crypto = [[
        crypto_one_time/4,5 crypto_one_time_aead/6,7 sign/4,5 verify/5,6 generate_key/2,3 compute_key/4
        private_decrypt/4 private_encrypt/4 public_decrypt/4 public_encrypt/4
      ]],
    },
  },
  {
    class = "DANGEROUS", effect = "changes", cost = "unknown",
    why = "runs a program of the operating system",
    functions = {
      os = "cmd/1,2",
      erlang = "open_port/2",
    },
  },
}
