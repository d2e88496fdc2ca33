#pragma once
#include <string.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

// Macros and builders that Swift cannot call.
static inline long shim_SSL_CTX_set_min_proto_version(SSL_CTX *context, int version) { return SSL_CTX_set_min_proto_version(context, version); }
static inline long shim_SSL_CTX_set_mode(SSL_CTX *context, long mode) { return SSL_CTX_set_mode(context, mode); }
static inline long shim_SSL_CTX_set_session_cache_off(SSL_CTX *context) { return SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); }
static inline long shim_SSL_set_tlsext_host_name(SSL *ssl, const char *name) { return SSL_set_tlsext_host_name(ssl, (char *)name); }
static inline size_t shim_BIO_get_mem_data(BIO *bio, const unsigned char **bytes) { return (size_t)BIO_get_mem_data(bio, (char **)bytes); }
static inline int shim_BIO_reset(BIO *bio) { return (int)BIO_reset(bio); }
static inline int shim_BIO_pending(BIO *bio) { return (int)BIO_pending(bio); }

static inline EVP_PKEY *shim_public_key(const char *type, OSSL_PARAM *parameters) {
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (context && EVP_PKEY_fromdata_init(context) == 1) (void)EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters);
    EVP_PKEY_CTX_free(context);
    return key;
}
static inline EVP_PKEY *shim_public_key_rsa(const unsigned char *n, int n_length, const unsigned char *e, int e_length) {
    EVP_PKEY *key = NULL;
    BIGNUM *modulus = BN_bin2bn(n, n_length, NULL), *exponent = BN_bin2bn(e, e_length, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (modulus && exponent && builder && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent)) {
        OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
        if (parameters) { key = shim_public_key("RSA", parameters); OSSL_PARAM_free(parameters); }
    }
    OSSL_PARAM_BLD_free(builder);
    BN_free(modulus);
    BN_free(exponent);
    return key;
}
static inline EVP_PKEY *shim_public_key_ec(const char *group, unsigned char *point, size_t length) {
    OSSL_PARAM parameters[3] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, length), OSSL_PARAM_construct_end()};
    return shim_public_key("EC", parameters);
}
static inline EVP_PKEY *shim_generate_rsa(unsigned bits) { return EVP_RSA_gen(bits); }
static inline EVP_PKEY *shim_generate_ec(const char *curve) { return EVP_EC_gen(curve); }
static inline void shim_SSL_CTX_restrict(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
}

// Without it OpenSSL asks the terminal for the passphrase of an encrypted key.
static inline int shim_no_passphrase(char *buffer, int size, int writing, void *context) {
    (void)buffer; (void)size; (void)writing; (void)context;
    return -1;
}
static inline void shim_SSL_CTX_never_ask(SSL_CTX *context) { SSL_CTX_set_default_passwd_cb(context, shim_no_passphrase); }
static inline EVP_PKEY *shim_read_private_key(BIO *bio) { return PEM_read_bio_PrivateKey(bio, NULL, shim_no_passphrase, NULL); }

// Application protocols (RFC 7301) in wire form belong to the context that they are attached to, and end with it: a
// session may outlive whoever made the context.
typedef struct { unsigned length; unsigned char bytes[]; } shim_protocols;
static inline int shim_select_protocol(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_length,
                                       const unsigned char *offered, unsigned offered_length, void *context) {
    (void)ssl;
    const shim_protocols *known = (const shim_protocols *)context;
    if (SSL_select_next_proto((unsigned char **)chosen, chosen_length, known->bytes, known->length, offered,
                              offered_length) != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
    return SSL_TLSEXT_ERR_OK;
}
static inline void shim_free_protocols(void *parent, void *value, CRYPTO_EX_DATA *data, int index, long a, void *b) {
    (void)parent; (void)data; (void)index; (void)a; (void)b;
    OPENSSL_free(value);
}
// Returns 0 where memory is short; `slot` is of shim_protocols_slot.
static inline int shim_SSL_CTX_accept_protocols(SSL_CTX *context, int slot, const unsigned char *bytes, unsigned length) {
    shim_protocols *known = (shim_protocols *)OPENSSL_malloc(sizeof(shim_protocols) + length);
    if (!known) return 0;
    known->length = length;
    memcpy(known->bytes, bytes, length);
    if (SSL_CTX_set_ex_data(context, slot, known) != 1) { OPENSSL_free(known); return 0; }
    SSL_CTX_set_alpn_select_cb(context, shim_select_protocol, known);
    return 1;
}
static inline int shim_protocols_slot(void) { return SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, shim_free_protocols); }

// The subject in the form of RFC 2253, as a string in `bio`.
static inline int shim_print_subject(BIO *bio, X509 *certificate) {
    return X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
}

// HMAC-SHA256 (RFC 2104) from the state that each of its two hashes has after the key's block. OpenSSL's EVP allocates for
// every hash that is begun, and hashes the key's blocks again; these functions, which it discourages but keeps, do neither.
typedef struct { SHA256_CTX inner, outer; } shim_hmac_state;
// Each of `inner` and `outer` has 64 bytes: the key with its pad.
static inline void shim_hmac_begin(shim_hmac_state *state, const unsigned char *inner, const unsigned char *outer) {
    SHA256_Init(&state->inner);
    SHA256_Update(&state->inner, inner, 64);
    SHA256_Init(&state->outer);
    SHA256_Update(&state->outer, outer, 64);
}
// Returns 1, and the code of 32 bytes.
static inline int shim_hmac(const shim_hmac_state *state, const void *message, size_t length, unsigned char *code) {
    SHA256_CTX hash = state->inner;
    if (SHA256_Update(&hash, message, length) != 1 || SHA256_Final(code, &hash) != 1) return 0;
    hash = state->outer;
    return SHA256_Update(&hash, code, 32) == 1 && SHA256_Final(code, &hash) == 1;
}
