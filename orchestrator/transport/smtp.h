/*
 * OP_SMTP: whether a mail server would take a mail (base/op.h says what comes back), on the loop. What is said is
 * smtp_talk.h's, here are the connection and TLS. Used by the controller's own remote (local.h); not seen by the engine.
 *
 * What holds:
 *   - No mail is handed over: DATA is never said.
 *   - STARTTLS is taken where it is offered, TLS 1.2 or newer. As among mail servers that know nothing of each other (RFC 7435)
 *     a certificate that is no good ends nothing; the report says what is wrong with it. Nothing secret is said here.
 *   - Everything that comes is bounded (smtp_talk.h), and so is each phase: SMTP_RESOLVE_MS, SMTP_CONNECT_MS for all addresses
 *     together, the op's timeout_ms for the talk from the connection on, and SMTP_QUIT_MS of it for the reply to QUIT, which
 *     decides nothing any more.
 *
 * Lines of the report that are not smtp_talk.h's:
 *     tls 220 TLSv1.3                the handshake came about; or tls 000 WHY, and nothing more was asked
 *     certificate 250 it is good     or certificate 550 WHAT IS WRONG WITH IT
 *
 * SIGPIPE has to be ignored: OpenSSL writes by write(2).
 *
 * Errors, each a sentence with the server's name: E_UNREACHABLE (no such name, no answer on the port), E_REFUSED, E_TIMEOUT (it
 * stopped talking: where), E_CLOSED (it hung up: where), E_PROTOCOL, E_INVAL, E_CANCELED; through a host also those that http.h
 * names for that way. `beyond` is set for all but E_INVAL and E_CANCELED. Lines that were there before the failure stay in
 * `out`.
 */
#ifndef TRANSPORT_SMTP_H
#define TRANSPORT_SMTP_H

#include "base/op.h"
#include "transport/service.h"

#define SMTP_RESOLVE_MS 5000
#define SMTP_CONNECT_MS 20000
#define SMTP_QUIT_MS 3000

struct smtp_request;

/* As http_start. */
struct smtp_request *smtp_start(const struct service_ways *ways, const char *label, const struct remote_spec *through,
				const struct op *op, struct op_result *result, void (*done)(void *arg), void *arg);

/* Gives up: E_CANCELED, unless the result was there already. */
void smtp_cancel(struct smtp_request *request);

#endif
