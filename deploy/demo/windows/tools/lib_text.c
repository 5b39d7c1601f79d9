#include "lib_text.h"

#include <stdarg.h>
#include <stdlib.h>

#define TEXT_MAX 8000

bool japanese(void)
{
	static int known = -1;
	wchar_t language[16] = L"";
	DWORD size = sizeof language - sizeof *language;

	if (known < 0) {
		RegGetValueW(HKEY_LOCAL_MACHINE, L"SYSTEM\\CurrentControlSet\\Control\\Nls\\Language",
			     L"InstallLanguage", RRF_RT_REG_SZ, NULL, language, &size);
		known = wcscmp(language, L"0411") == 0;
	}
	return known;
}

const wchar_t *in_language(const wchar_t *english, const wchar_t *in_japanese)
{
	return japanese() ? in_japanese : english;
}

static void write_all(DWORD which, const char *bytes, size_t size)
{
	HANDLE to = GetStdHandle(which);

	for (DWORD n; size > 0; bytes += n, size -= n)
		if (!WriteFile(to, bytes, (DWORD)size, &n, NULL) || n == 0)
			return;
}

void say_bytes(const char *bytes, size_t size)
{
	write_all(STD_OUTPUT_HANDLE, bytes, size);
}

static void put(DWORD which, const wchar_t *format, va_list args)
{
	static wchar_t text[TEXT_MAX], lines[2 * TEXT_MAX];
	static char bytes[4 * TEXT_MAX];
	size_t n = 0;

	_vsnwprintf(text, TEXT_MAX - 1, format, args);
	for (const wchar_t *c = text; *c; c++) {
		if (*c == L'\n')
			lines[n++] = L'\r';
		lines[n++] = *c;
	}
	int size = WideCharToMultiByte(japanese() ? 932 : 437, 0, lines, (int)n, bytes, sizeof bytes, NULL, NULL);
	write_all(which, bytes, (size_t)size);
}

void say(const wchar_t *format, ...)
{
	va_list args;

	va_start(args, format);
	put(STD_OUTPUT_HANDLE, format, args);
	va_end(args);
}

void complain(const wchar_t *format, ...)
{
	va_list args;

	va_start(args, format);
	put(STD_ERROR_HANDLE, format, args);
	va_end(args);
}

/* Windows' own words; Wine's differ. */
static const struct {
	DWORD error;
	const wchar_t *english, *in_japanese;
} texts[] = {
    {ERROR_FILE_NOT_FOUND, L"The system cannot find the file specified.", L"指定されたファイルが見つかりません。"},
    {ERROR_ACCESS_DENIED, L"Access is denied.", L"アクセスが拒否されました。"},
    {ERROR_SHARING_VIOLATION, L"The process cannot access the file because it is being used by another process.",
     L"プロセスはファイルにアクセスできません。別のプロセスが使用中です。"},
    {ERROR_INVALID_PARAMETER, L"The parameter is incorrect.", L"パラメーターが間違っています。"},
    {ERROR_DEPENDENT_SERVICES_RUNNING,
     L"A stop control has been sent to a service that other running services are dependent on.",
     L"ほかの実行中のサービスが依存しているサービスに停止コントロールが送信されました。"},
    {ERROR_INVALID_SERVICE_CONTROL, L"The requested control is not valid for this service.",
     L"要求されたコントロールはこのサービスに対して無効です。"},
    {ERROR_SERVICE_REQUEST_TIMEOUT, L"The service did not respond to the start or control request in a timely fashion.",
     L"そのサービスは指定時間内に開始要求または制御要求に応答しませんでした。"},
    {ERROR_SERVICE_ALREADY_RUNNING, L"An instance of the service is already running.",
     L"サービスのインスタンスは既に実行されています。"},
    {ERROR_SERVICE_DISABLED,
     L"The service cannot be started, either because it is disabled or because it has no enabled devices associated "
     L"with it.",
     L"無効であるか、または関連付けられた有効なデバイスがないため、サービスを開始できません。"},
    {ERROR_SERVICE_DOES_NOT_EXIST, L"The specified service does not exist as an installed service.",
     L"指定されたサービスはインストールされたサービスとして存在しません。"},
    {ERROR_SERVICE_CANNOT_ACCEPT_CTRL, L"The service cannot accept control messages at this time.",
     L"サービスは現在コントロール メッセージを受け付けることができません。"},
    {ERROR_SERVICE_NOT_ACTIVE, L"The service has not been started.", L"サービスは開始されていません。"},
    {ERROR_SERVICE_DEPENDENCY_FAIL, L"The dependency service or group failed to start.",
     L"依存関係サービスまたはグループを起動できませんでした。"},
    {ERROR_SERVICE_LOGON_FAILED, L"The service did not start due to a logon failure.",
     L"ログオンに失敗したため、サービスを開始できませんでした。"},
    {ERROR_SERVICE_MARKED_FOR_DELETE, L"The specified service has been marked for deletion.",
     L"指定されたサービスは削除の対象としてマークされています。"},
};

const wchar_t *error_text(DWORD error)
{
	static wchar_t other[64];

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (texts[i].error == error)
			return in_language(texts[i].english, texts[i].in_japanese);
	_snwprintf(other, 63, in_language(L"Error %lu.", L"エラー %lu。"), error);
	return other;
}
