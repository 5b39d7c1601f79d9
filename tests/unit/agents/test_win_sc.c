/* Tables of sc.exe and tasklist.exe as machines in English, Spanish and Japanese (CP932) print them. */
#include "tests/lib/unit.h"

#include "agents/win_sc.h"
#include "agents/win_tasklist.h"

#include <string.h>

#define EN_RUNNING                                                                                                     \
	"\r\nSERVICE_NAME: Spooler \r\n        TYPE               : 110  WIN32_OWN_PROCESS  (interactive)\r\n"         \
	"        STATE              : 4  RUNNING \r\n"                                                                 \
	"                                (STOPPABLE, NOT_PAUSABLE, IGNORES_SHUTDOWN)\r\n"                              \
	"        WIN32_EXIT_CODE    : 0  (0x0)\r\n        SERVICE_EXIT_CODE  : 0  (0x0)\r\n"                           \
	"        CHECKPOINT         : 0x0\r\n        WAIT_HINT          : 0x0\r\n"                                     \
	"        PID                : 2712\r\n        FLAGS              : \r\n"

#define ES_STOPPING                                                                                                    \
	"\r\nNOMBRE_SERVICIO: x: y \r\n        TIPO               : 10  WIN32_OWN_PROCESS  \r\n"                       \
	"        ESTADO             : 3  STOP_PENDING \r\n"                                                            \
	"                                (NOT_STOPPABLE, NOT_PAUSABLE, IGNORES_SHUTDOWN)\r\n"                          \
	"        C\xd3"                                                                                                \
	"D_SALIDA_WIN32   : 0  (0x0)\r\n        COD_SALIDA_SERVICIO: 0  (0x0)\r\n"                                     \
	"        PUNTO_COMPROB.     : 0x1a\r\n        INDICACI\xd3"                                                    \
	"N_INICIO  : 0x7530\r\n        PID                : 88\r\n        MARCAS             : \r\n"

/* 種類, 状態, …: a label's bytes may be anything */
#define JA_ENDED                                                                                                       \
	"\r\nSERVICE_NAME: HesSync \r\n        \x8e\xed\x97\xde               : 10  WIN32_OWN_PROCESS\r\n"             \
	"        \x8f\xf3\x91\xd4               : 1  STOPPED \r\n"                                                     \
	"        WIN32_EXIT_CODE    : 1066  (0x42a)\r\n        SERVICE_EXIT_CODE  : -2147467259  (0x80004005)\r\n"     \
	"        CHECKPOINT         : 0x0\r\n        WAIT_HINT          : 0x0\r\n        PID                : 0\r\n"   \
	"        FLAGS              : \r\n"

static struct sc_status status_of(const char *text)
{
	struct sc_status status = {0};

	ck_assert(sc_status_read(text, strlen(text), &status));
	return status;
}

START_TEST(test_status)
{
	struct sc_status s = status_of(EN_RUNNING);

	ck_assert_int_eq(s.state, SC_RUNNING);
	ck_assert_uint_eq(s.pid, 2712);
	ck_assert_uint_eq(s.wait_hint_ms, 0);
	s = status_of(ES_STOPPING);
	ck_assert_int_eq(s.state, SC_STOP_PENDING);
	ck_assert_uint_eq(s.pid, 88);
	ck_assert_uint_eq(s.checkpoint, 26);
	ck_assert_uint_eq(s.wait_hint_ms, 30000);
	s = status_of(JA_ENDED);
	ck_assert_int_eq(s.state, SC_STOPPED);
	ck_assert_int_eq(s.win32_exit, 1066);
	ck_assert_int_eq(s.service_exit, -2147467259);
}
END_TEST

/* Cut anywhere it is no status; bytes in between do not matter. */
START_TEST(test_status_cut)
{
	const char *text = EN_RUNNING, *pid = strstr(text, "2712");
	struct sc_status status;

	for (size_t len = 0; len < (size_t)(pid - text); len++)
		ck_assert_msg(!sc_status_read(text, len, &status), "%zu", len);
	ck_assert(!sc_status_read("[SC] EnumQueryServicesStatus:OpenService FAILED 1060:\r\n", 56, &status));
	text = "X: y\r\n a: 1\r\n b: 8 ODD\r\n c: 0\r\n d: 0\r\n e: 0x0\r\n f: 0x0\r\n g: 5\r\n";
	ck_assert(!sc_status_read(text, strlen(text), &status));
}
END_TEST

START_TEST(test_config)
{
	const char *text = "[SC] QueryServiceConfig SUCCESS\r\n\r\nSERVICE_NAME: HesSync\r\n"
			   "        TYPE               : 10  WIN32_OWN_PROCESS \r\n"
			   "        START_TYPE         : 2   AUTO_START  (DELAYED)\r\n"
			   "        ERROR_CONTROL      : 1   NORMAL\r\n"
			   "        BINARY_PATH_NAME   : \"C:\\Program Files (x86)\\x y\\P.exe\" -k a:b  \r\n"
			   "        LOAD_ORDER_GROUP   : \r\n        TAG                : 0  \r\n"
			   "        DISPLAY_NAME       : Hosted  \r\n        DEPENDENCIES       : RPCSS  \r\n"
			   "                           : http  \r\n        SERVICE_START_NAME : LocalSystem  \r\n";
	const char *command = NULL;
	enum sc_start start;
	size_t len;

	ck_assert(sc_config_read(text, strlen(text), &start, &command, &len));
	ck_assert_int_eq(start, SC_AUTO_START);
	ck_assert_uint_eq(len, strlen("\"C:\\Program Files (x86)\\x y\\P.exe\" -k a:b"));
	ck_assert_int_eq(memcmp(command, "\"C:\\Program Files (x86)\\x y\\P.exe\" -k a:b", len), 0);
	ck_assert(!sc_config_read(text, 120, &start, &command, &len));
	text = "X: y\r\n T: 10\r\n S: 4 DISABLED\r\n E: 1\r\n B:\r\n L: g\r\n";
	ck_assert(sc_config_read(text, strlen(text), &start, &command, &len));
	ck_assert_int_eq(start, SC_DISABLED);
	ck_assert_ptr_null(command);
}
END_TEST

static void key_is(const char *text, const char *want)
{
	const char *key;
	size_t len;

	ck_assert_int_eq(sc_key_read(text, strlen(text), &key, &len), want != NULL);
	if (want)
		ck_assert_msg(len == strlen(want) && memcmp(key, want, len) == 0, "%.*s", (int)len, key);
}

START_TEST(test_key)
{
	key_is("[SC] GetServiceKeyName SUCCESS\r\nName = HesSync\r\n", "HesSync");
	key_is("[SC] GetServiceKeyName SUCCESS  Name = HesSync\r\n", "HesSync");
	key_is("[SC] GetServiceKeyName SUCCESS\r\n\x96\xbc\x91\x4f = Hes Sync=2 \r\n\r\n", "Hes Sync=2");
	key_is("[SC] GetServiceKeyName SUCCESS\r\n", NULL);
	key_is("Name = \r\n", NULL);
	key_is("", NULL);
}
END_TEST

START_TEST(test_dependants)
{
	const char *text = "Enum: entriesRead = 2\r\n\r\nSERVICE_NAME: Monitor: 1\r\nDISPLAY_NAME: A: monitor\r\n"
			   "        TYPE               : 20  WIN32_SHARE_PROCESS  \r\n"
			   "        STATE              : 4  RUNNING \r\n                (STOPPABLE)\r\n"
			   "        WIN32_EXIT_CODE    : 0  (0x0)\r\n        SERVICE_EXIT_CODE  : 0  (0x0)\r\n"
			   "        CHECKPOINT         : 0x0\r\n        WAIT_HINT          : 0x0\r\n\r\n"
			   "SERVICE_NAME: Agent\r\nDISPLAY_NAME: An agent\r\n        TYPE               : 10\r\n"
			   "        STATE              : 1  STOPPED \r\n        WIN32_EXIT_CODE    : 0  (0x0)\r\n";
	enum sc_state state;
	const char *key;
	size_t at = 0, len;

	ck_assert(sc_dependant_next(text, strlen(text), &at, &key, &len, &state));
	ck_assert_int_eq(memcmp(key, "Monitor: 1", len), 0);
	ck_assert_int_eq(state, SC_RUNNING);
	ck_assert(sc_dependant_next(text, strlen(text), &at, &key, &len, &state));
	ck_assert_int_eq(memcmp(key, "Agent", len), 0);
	ck_assert_uint_eq(len, 5);
	ck_assert_int_eq(state, SC_STOPPED);
	ck_assert(!sc_dependant_next(text, strlen(text), &at, &key, &len, &state));
	at = 0;
	ck_assert(!sc_dependant_next("Enum: entriesRead = 0\r\n", 23, &at, &key, &len, &state));
}
END_TEST

/* Each code has a name, a meaning and an order; in the order of numbers, none twice. */
START_TEST(test_codes)
{
	static const long known[] = {0,    2,    3,    5,    87,   122,  123,  193,  234,  1051, 1052, 1053,
				     1054, 1055, 1056, 1057, 1058, 1059, 1060, 1061, 1062, 1063, 1064, 1065,
				     1066, 1067, 1068, 1069, 1070, 1072, 1073, 1075, 1079, 1115, 1722, 9009};
	char words[SC_WORDS_MAX];

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const struct sc_code *code = sc_code(known[i]);

		ck_assert_msg(code != NULL, "%ld", known[i]);
		ck_assert_int_eq(code->code, known[i]);
		ck_assert(*code->name && *code->meaning && *code->advice);
		ck_assert_uint_lt(strlen(sc_words(known[i], words)), SC_WORDS_MAX - 1);
	}
	ck_assert_ptr_null(sc_code(36)); /* what is left of 1060 where only eight bits come through */
	ck_assert_str_eq(sc_words(1058, words),
			 "code 1058, the service, or a device that it needs, is disabled: enable it "
			 "(sc config NAME start= auto) if it should run, then start it");
	ck_assert_str_eq(sc_words(1717, words), "code 1717 (`net helpmsg 1717` on the host says what that is)");
	ck_assert_str_eq(sc_words((int32_t)0xc0000142, words), "code 0xC0000142, the program died before it did anything: "
							       "see whether the host has memory left");
	ck_assert(sc_did_not_run(9009) && sc_did_not_run((int32_t)0xc0000142));
	ck_assert(!sc_did_not_run(0) && !sc_did_not_run(1060));
	ck_assert_str_eq(sc_state_name(SC_STOP_PENDING), "STOP_PENDING");
	ck_assert_str_eq(sc_start_name(SC_DEMAND_START), "manual");
}
END_TEST

START_TEST(test_tasklist)
{
	const char *text = "\r\n\"PluginService.exe\",\"2712\",\"Services\",\"0\",\"12,345 K\"\r\n"
			   "\"a,b.exe\",\"4\",\"Console\",\"1\",\"1 K\"\r\n\"cut.exe\",\"12\r\n\"x.exe\"\r\n"
			   "\"big.exe\",\"99999999999\",\"\"\r\n";
	struct tasklist_process process;
	size_t at = 0;

	ck_assert(tasklist_next(text, strlen(text), &at, &process));
	ck_assert_str_eq(process.name, "PluginService.exe");
	ck_assert_uint_eq(process.pid, 2712);
	ck_assert(tasklist_next(text, strlen(text), &at, &process));
	ck_assert_str_eq(process.name, "a,b.exe");
	ck_assert_uint_eq(process.pid, 4);
	ck_assert(!tasklist_next(text, strlen(text), &at, &process));
	at = 0;
	text = "INFO: No tasks are running which match the specified criteria.\r\n";
	ck_assert(!tasklist_next(text, strlen(text), &at, &process));
	at = 0;
	/* 情報: 指定された条件に一致するタスクは実行されていません。 */
	text = "\x8f\xee\x95\xf1: \x8e\x77\x92\xe8\x82\xb3\x82\xea\x82\xbd\x8f\xf0\x8c\x8f\x82\xc9\x88\xea\x92\x76\r\n";
	ck_assert(!tasklist_next(text, strlen(text), &at, &process));
}
END_TEST

SUITE(win_sc)
{
	TEST_CASE(s, test_status);
	TEST_CASE(s, test_status_cut);
	TEST_CASE(s, test_config);
	TEST_CASE(s, test_key);
	TEST_CASE(s, test_dependants);
	TEST_CASE(s, test_codes);
	TEST_CASE(s, test_tasklist);
}
