/* crypto.c -- digests and random bytes from libcrypto: MD5 for the distribution handshake,
 * whose protocol demands it, SHA-256 and its HMAC for all that is ours; base64 too. */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "bl.h"

#define MOST_RANDOM 1024
#define MOST_CODED  65536

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

static int push_hex(lua_State *L, const unsigned char *bytes, size_t n) {
  static const char hex[] = "0123456789abcdef";
  luaL_Buffer text;
  luaL_buffinit(L, &text);
  for (size_t i = 0; i < n; i++) {
    luaL_addchar(&text, hex[bytes[i] >> 4]);
    luaL_addchar(&text, hex[bytes[i] & 15]);
  }
  luaL_pushresult(&text);
  return 1;
}

/* crypto.hex(bytes) -> two hex digits for each */
static int f_hex(lua_State *L) {
  size_t n;
  const char *bytes = luaL_checklstring(L, 1, &n);
  return push_hex(L, (const unsigned char *)bytes, n);
}

/* crypto.sha256(text) -> 64 hex digits */
static int f_sha256(lua_State *L) {
  unsigned char out[EVP_MAX_MD_SIZE];
  int n = digest(L, EVP_sha256(), out);
  return push_hex(L, out, (size_t)n);
}

/* crypto.hmac(key, text) -> 64 hex digits of HMAC-SHA256 (RFC 2104) */
static int f_hmac(lua_State *L) {
  unsigned char out[EVP_MAX_MD_SIZE];
  size_t key_len, len;
  unsigned int n = 0;
  const char *key = luaL_checklstring(L, 1, &key_len), *text = luaL_checklstring(L, 2, &len);
  luaL_argcheck(L, key_len > 0 && key_len <= MOST_RANDOM, 1, "1 to 1024 bytes");
  if (!HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)text, len, out, &n))
    return luaL_error(L, "crypto: digest refused");
  return push_hex(L, out, n);
}

/* crypto.base64(bytes) -> text, in one line */
static int f_base64(lua_State *L) {
  size_t n;
  const char *bytes = luaL_checklstring(L, 1, &n);
  luaL_argcheck(L, n <= MOST_CODED, 1, "64 KB at most");
  unsigned char *out = lua_newuserdata(L, n / 3 * 4 + 5);
  int len = EVP_EncodeBlock(out, (const unsigned char *)bytes, (int)n);
  lua_pushlstring(L, (char *)out, (size_t)len);
  return 1;
}

/* crypto.from_base64(text) -> bytes | nil when it is none.  With its padding, without white space. */
static int f_from_base64(lua_State *L) {
  size_t n, padding = 0;
  const char *text = luaL_checklstring(L, 1, &n);
  if (n % 4 || n > MOST_CODED * 2) return 0;
  while (padding < 2 && padding < n && text[n - 1 - padding] == '=') padding++;
  unsigned char *out = lua_newuserdata(L, n / 4 * 3 + 1);
  int len = EVP_DecodeBlock(out, (const unsigned char *)text, (int)n);
  if (len < 0) return 0;
  lua_pushlstring(L, (char *)out, (size_t)len - padding);
  return 1;
}

/* crypto.same(a, b) -> whether they are equal; takes as long wherever they differ */
static int f_same(lua_State *L) {
  size_t a_len, b_len;
  const char *a = luaL_checklstring(L, 1, &a_len), *b = luaL_checklstring(L, 2, &b_len);
  lua_pushboolean(L, a_len == b_len && !CRYPTO_memcmp(a, b, a_len));
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
  { "base64",      f_base64      },
  { "from_base64", f_from_base64 },
  { "hex",         f_hex         },
  { "hmac",        f_hmac        },
  { "md5",         f_md5         },
  { "random",      f_random      },
  { "same",        f_same        },
  { "sha256",      f_sha256      },
  { NULL,          NULL          }
};

int luaopen_crypto(lua_State *L) {
  lua_newtable(L);
  luaL_register(L, NULL, functions);
  return 1;
}
