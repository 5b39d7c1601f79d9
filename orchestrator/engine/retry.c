#include "engine/retry.h"

#include "base/err.h"

enum retry_class retry_class(int code, bool connected)
{
	switch (code) {
	case E_UNREACHABLE:
	case E_REFUSED:
		return RETRY_UNREACHABLE;
	case E_TIMEOUT:
	case E_CLOSED:
	case E_PROTOCOL:
		return connected ? RETRY_PASSING : RETRY_UNREACHABLE;
	case E_CHANGED:
	case E_IO:
		return RETRY_PASSING;
	default: /* an error code is no enum of states: whatever is not named here is final */
		return RETRY_FINAL;
	}
}

int retry_delay_ms(const struct retry_policy *policy, int attempt, uint32_t random)
{
	int64_t delay = policy->first_delay_ms;
	int64_t jitter;

	for (int i = 2; i < attempt && delay < policy->max_delay_ms; i++)
		delay *= 2;
	if (delay > policy->max_delay_ms)
		delay = policy->max_delay_ms;
	jitter = delay / 4;
	return (int)(delay - jitter + (jitter ? (int64_t)(random % (uint32_t)(2 * jitter + 1)) : 0));
}
