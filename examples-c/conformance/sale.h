/* Runs the vectors of metered sales: vectors/sale.json, and what is signed in vectors/lock.json. Returns 0 where all is as a vector says. */
#ifndef SALE_VECTOR_H
#define SALE_VECTOR_H

#include "../common/json.h"

/* A chain: the payer's anchor and ticks from its secret, and a payee that takes them. */
int sale_vector(json_t vector);

/* A voucher, or a reading of a reader. */
int sale_signed(json_t vector, int is_voucher);

#endif
