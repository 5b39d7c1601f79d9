/*
 * hold.exe FILE SHARE MARK RELEASE: has FILE open until there is a file RELEASE, for two minutes at most; as soon as it is
 * open, the file MARK is made. SHARE: "none", or "read" (others may read it, as a service that reads its configuration
 * lets them). For Wine hosts (mingw).
 */
#include <stdio.h>
#include <wchar.h>
#include <windows.h>

int wmain(int argc, wchar_t **argv)
{
	HANDLE file, mark;

	if (argc != 5)
		return 2;
	file = CreateFileW(argv[1], GENERIC_READ, wcscmp(argv[2], L"read") == 0 ? FILE_SHARE_READ : 0, NULL,
			   OPEN_EXISTING, 0, NULL);
	if (file == INVALID_HANDLE_VALUE)
		return (int)GetLastError();
	mark = CreateFileW(argv[3], GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
	CloseHandle(mark);
	for (int i = 0; i < 1200 && GetFileAttributesW(argv[4]) == INVALID_FILE_ATTRIBUTES; i++)
		Sleep(100);
	CloseHandle(file);
	return 0;
}
