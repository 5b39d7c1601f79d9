# shellcheck shell=sh
# A Japanese Windows: our programs speak Japanese, in CP932.
registry 'System\CurrentControlSet\Control\Nls\Language' InstallLanguage 0411
