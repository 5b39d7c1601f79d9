#include "agents/agent.h"
#include "agents/agents.h"

extern const struct embedded embedded_agents[];

/* The only list. An agent is a file, a line in agents.h and a line here. */
const struct agent *const agents[] = {
	&agent_ad_sync_client,
	&agent_iptables_allow,
	&agent_nftables_allow,
	&agent_postfix_relay,
	&agent_relay_probe,
	&agent_ruby_client,
	&agent_test_mail,
	&agent_web_service,
	NULL,
};

const struct agent *agent_find(const char *name)
{
	for (size_t i = 0; agents[i]; i++) {
		if (strcmp(agents[i]->name, name) == 0)
			return agents[i];
	}
	return NULL;
}

const struct embedded *agent_script(const char *name)
{
	const struct embedded *script = embedded_find(embedded_agents, name);

	if (!script)
		abort();
	return script;
}
