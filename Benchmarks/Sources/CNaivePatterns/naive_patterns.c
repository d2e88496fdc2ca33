#include "naive_patterns.h"

#include <hs/hs.h>
#include <stdio.h>

// No checksums, no context: a match is what has the shape.
static const char *const patterns[] = {
    "\\b(?:\\d[ .-]?){12,18}\\d\\b",                                     // card
    "\\b\\d{3}-\\d{2}-\\d{4}\\b",                                        // US social security, ITIN
    "\\b[A-Z]{2}\\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\\b",    // IBAN
    "\\b\\d{9}\\b",                                                      // ABA, SIN, BSN
    "\\b[12]\\d{9}\\b",                                                  // NPI
    "\\b[1-9][A-Z][A-Z0-9]\\d-?[A-Z][A-Z0-9]\\d-?[A-Z]{2}\\d{2}\\b",     // MBI
    "\\b[A-Z]{2}\\d{7}\\b",                                              // DEA
    "\\b\\d{3}[ -]?\\d{3}[ -]?\\d{4}\\b",                                // NHS
    "\\b[A-Z]{2} ?\\d{2} ?\\d{2} ?\\d{2} ?[A-D]\\b",                     // NINO
    "\\b[2-9]\\d{3}[ -]?\\d{4}[ -]?\\d{4}\\b",                           // Aadhaar
    "\\b[A-Z]{5}\\d{4}[A-Z]\\b",                                         // India PAN
    "\\b\\d{11}\\b",                                                     // PESEL, tax id of Germany
    "\\b[XYZ]?\\d{7,8}-?[A-Z]\\b",                                       // NIF, NIE
    "\\b[A-Z]{6}\\d{2}[A-EHLMPRST]\\d{2}[A-Z]\\d{3}[A-Z]\\b",            // codice fiscale
    "\\b[STFGM]\\d{7}[A-Z]\\b",                                          // NRIC
    "\\b\\d{3}\\.?\\d{3}\\.?\\d{3}-?\\d{2}\\b",                          // CPF
    "\\b\\d{2}\\.?\\d{3}\\.?\\d{3}/?\\d{4}-?\\d{2}\\b",                  // CNPJ
    "\\b[1-9]\\d{16}[0-9X]\\b",                                          // resident id of China
    "\\b[12] ?\\d{2} ?\\d{2} ?\\d{2} ?\\d{3} ?\\d{3} ?\\d{2}\\b",        // NIR
    "[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\\.[A-Za-z]{2,}",                   // e-mail
    "(?:\\+|\\b00)[1-9](?:[ ().-]?\\d){6,13}\\b",                        // phone
    "\\b(?:\\d{1,3}\\.){3}\\d{1,3}\\b",                                  // IPv4
    "\\b(?:[0-9a-fA-F]{1,4}:){2,7}[0-9a-fA-F]{1,4}\\b",                  // IPv6
    "\\b(?:[0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}\\b",                     // MAC
    "\\b(?:bc1[a-z0-9]{25,59}|[13][1-9A-HJ-NP-Za-km-z]{25,34})\\b",      // BTC
    "\\b(?:19|20)\\d{2}-\\d{2}-\\d{2}\\b",                               // date of birth
    "\\bAKIA[A-Z0-9]{16}\\b",                                            // AWS
    "\\beyJ[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]*",            // JWT
    "-----BEGIN [A-Z ]*PRIVATE KEY-----",                                // PEM
    "\\bgh[pousr]_[A-Za-z0-9]{36}\\b",                                   // GitHub
    "\\bxox[abprs]-[A-Za-z0-9-]{10,}",                                   // Slack
    "\\b[sr]k_live_[A-Za-z0-9]{16,}",                                    // Stripe
};
enum { count_of_patterns = sizeof patterns / sizeof *patterns };

static hs_database_t *database;
static hs_scratch_t *scratch;

size_t naive_patterns_count(void) { return count_of_patterns; }

bool naive_patterns_prepare(void) {
    if (scratch != NULL) return true;
    unsigned flags[count_of_patterns] = {0};
    unsigned identifiers[count_of_patterns];
    for (unsigned i = 0; i < count_of_patterns; i++) identifiers[i] = i;
    hs_compile_error_t *wrong = NULL;
    if (hs_compile_multi(patterns, flags, identifiers, count_of_patterns, HS_MODE_BLOCK, NULL, &database, &wrong) != HS_SUCCESS) {
        fprintf(stderr, "pattern %d: %s\n", wrong->expression, wrong->message);
        hs_free_compile_error(wrong);
        return false;
    }
    return hs_alloc_scratch(database, &scratch) == HS_SUCCESS;
}

static int count_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context) {
    (void)id, (void)from, (void)to, (void)flags;
    ++*(uint64_t *)context;
    return 0;
}

uint64_t naive_patterns_scan(const void *text, size_t count) {
    uint64_t found = 0;
    hs_scan(database, text, (unsigned)count, 0, scratch, count_match, &found);
    return found;
}
