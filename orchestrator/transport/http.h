/*
 * OP_HTTP: one GET of a web service over TLS, by libcurl on the loop (base/op.h says what comes back). Used by whatever
 * remote the op was started on; not seen by the engine.
 *
 * What holds:
 *   - https only, TLS 1.2 or newer, the certificate checked for chain and name, by the system's certificates or by the
 *     op's trust file alone. There is no way to say that this shall not be so.
 *   - Every request has connections of its own, and they are closed with it: no customer's login can ride on another's
 *     connection (libcurl 7.88 has known mistakes there: CVE-2023-27535, -27536, -27538), nothing idle is left.
 *   - No redirection is followed, no proxy is taken from the environment, no cookie and no ~/.netrc is read, Negotiate is
 *     not offered: account and password go to the service that was named, and the controller's own ticket to nobody.
 *   - Names are looked up by transport/resolve.h, not by libcurl's threads.
 *   - Everything that comes is bounded: header lines, body, and by deadlines each phase: HTTP_RESOLVE_MS, HTTP_CONNECT_MS
 *     (TCP and TLS together), HTTP_SILENCE_MS without a byte worth mentioning, the op's timeout_ms for all of it.
 *
 * Errors, each a sentence with the service's name: E_UNREACHABLE (no such name, no answer to connect), E_REFUSED, E_TLS
 * (the certificate: what it names, by whom, until when), E_TIMEOUT (it was there and stopped talking: in which phase),
 * E_CLOSED (it hung up), E_PROTOCOL (that is no HTTP, no TLS), E_LIMIT, E_INVAL (the URL, the trust file), E_CANCELED.
 * `beyond` is set for all but the last two.
 *
 * Through a host's session (`through`): each connection that libcurl wants is a direct-tcpip channel of an SSH session to
 * that host (tunnel_open), whose sshd looks the name up and connects, so that what is seen is what the host sees: its name
 * servers, its hosts file, its way through the customer's firewall. TLS is between us and the service, its name is checked
 * as ever: the host is only the wire, and can neither read nor answer. Nothing listens anywhere, and bastions before the host
 * are gone through. The op's timeout begins when the first connection is there; how long that may take is the transport's
 * (budgets of the login, HTTP_TUNNEL_MS to connect from there). What fails on this way is told as ssh_bastion.h says it:
 * E_FORWARDING (the host's sshd does not allow it), E_BASTION (the login there is refused), E_UNREACHABLE …, and E_CLOSED
 * when that session is cut in the middle.
 */
#ifndef TRANSPORT_HTTP_H
#define TRANSPORT_HTTP_H

#include "base/op.h"
#include "transport/service.h"

#define HTTP_RESOLVE_MS 5000
#define HTTP_CONNECT_MS 20000
#define HTTP_SILENCE_MS 30000
#define HTTP_TUNNEL_MS 15000
#define HTTP_HEADER_MAX_BYTES ((size_t)64 << 10)

struct http_request;

/* Counted, as libcurl counts: once before the first request, and at the end. E_PERM. */
int http_library_init(struct err *err);
void http_library_exit(void);

/* Starts it. `ways`, `op` and `result` (emptied here) live until done(arg), which comes once, from the loop, never from
   inside. `label` is put before each sentence. through: NULL, or the host whose session makes the connection; copied. */
struct http_request *http_start(const struct service_ways *ways, const char *label, const struct remote_spec *through,
				const struct op *op, struct op_result *result, void (*done)(void *arg), void *arg);

/* Gives up: E_CANCELED, unless the result was there already. */
void http_cancel(struct http_request *request);

#endif
