/* crypto.c -- digests and random bytes from libcrypto: MD5 for the distribution handshake,
 * whose protocol demands it, SHA-256 for all that is ours. */
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "bl.h"

#define MOST_RANDOM 1024

static int digest(lua_State *L, const EVP_MD *kind, unsigned char *out) {
  size_t len;
  const char *text = luaL_checklstring(L, 1, &len);
  unsigned int n = 0;
  if (!EVP_Digest(text, len, out, &n, kind, NULL)) return luaL_error(L, "crypto: digest refused");
  return (int)n;
}

/* crypto.md5(text) -> 16 bytes */
static int f_md5(lua_State *L) {
  unsigned char out[EVP_MAX_MD_SIZE];
  lua_pushlstring(L, (char *)out, (size_t)digest(L, EVP_md5(), out));
  return 1;
}

/* crypto.sha256(text) -> 64 hex digits */
static int f_sha256(lua_State *L) {
  static const char hex[] = "0123456789abcdef";
  unsigned char out[EVP_MAX_MD_SIZE];
  char text[2 * EVP_MAX_MD_SIZE];
  int n = digest(L, EVP_sha256(), out);
  for (int i = 0; i < n; i++) {
    text[2 * i] = hex[out[i] >> 4];
    text[2 * i + 1] = hex[out[i] & 15];
  }
  lua_pushlstring(L, text, 2 * (size_t)n);
  return 1;
}

/* crypto.random(n) -> n bytes nobody can guess */
static int f_random(lua_State *L) {
  unsigned char out[MOST_RANDOM];
  int n = (int)luaL_checkinteger(L, 1);
  luaL_argcheck(L, n > 0 && n <= MOST_RANDOM, 1, "1 to 1024 bytes");
  if (RAND_bytes(out, n) != 1) return luaL_error(L, "crypto: the system gives no random bytes");
  lua_pushlstring(L, (char *)out, (size_t)n);
  return 1;
}

static const luaL_Reg functions[] = {
  { "md5",    f_md5    },
  { "random", f_random },
  { "sha256", f_sha256 },
  { NULL,     NULL     }
};

int luaopen_crypto(lua_State *L) {
  lua_newtable(L);
  luaL_register(L, NULL, functions);
  return 1;
}
