/*
 * The agents of this version, each in the file of its name. Others find them by agent_find (agents/agent.h); this
 * header is for registry.c and for the agents' own tests.
 */
#ifndef AGENTS_AGENTS_H
#define AGENTS_AGENTS_H

#include "agents/agent.h"

extern const struct agent agent_ad_sync_client; /* ad_sync_client.c: the directory-sync client for Active Directory */
extern const struct agent agent_iptables_allow; /* packet_filter.c: what iptables lets pass */
extern const struct agent agent_nftables_allow; /* packet_filter.c: what nftables lets pass */
extern const struct agent agent_postfix_relay; /* postfix_relay.c: the relay host of Postfix, and all that is keyed by it */
extern const struct agent agent_relay_probe; /* relay_probe.c: would the new relay take the tenant's mail? */
extern const struct agent agent_ruby_client; /* ruby_client.c: the directory-sync client in Ruby */
extern const struct agent agent_test_mail; /* test_mail.c: would the new MX take mail? */
extern const struct agent agent_web_service; /* web_service.c: what the directory service lists, before and after */

#endif
