/*
 * What a service is asked with: HTTP (http.h), SMTP (smtp.h).
 */
#ifndef TRANSPORT_SERVICE_H
#define TRANSPORT_SERVICE_H

#include "transport/resolve.h"
#include "transport/transport.h"

#include <uv.h>

/* Lives as long as the requests do. */
struct service_ways {
	uv_loop_t *loop;
	struct resolver *resolver;
	struct transport *hosts; /* to hosts, for connections that a host makes; NULL: there are none */
};

#endif
