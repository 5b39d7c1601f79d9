# shellcheck shell=sh
# The Ruby client too, in a folder of C:, with Ruby where its installer puts it, and a scheduled task that runs it.
client=/C:/imhs-ws-client
mkdir -p $client /C:/Ruby31-x64/bin
cp /run/winhost/ruby.exe /C:/Ruby31-x64/bin/
read -r key </proc/sys/kernel/random/uuid
for file in imhs-config.rb imhs-ws-client.rb users.csv; do
	sed "s/@DOMAIN@/customer.example/g; s/@API_KEY@/$key/g; s#'/var/log/imhs-sync.log'#File.join(__dir__, 'imhs-sync.log')#; s/\$/\\r/" \
		"/run/winhost/ruby-client/$file" >"$client/$file"
done
registry 'System\CurrentControlSet\Control\Session Manager\Environment' PATH \
	'expand:%SystemRoot%\system32;%SystemRoot%;%SystemRoot%\system32\wbem;C:\Ruby31-x64\bin'
scheduled_task 'imhs-ws-client sync' true 'C:\Ruby31-x64\bin\ruby.exe' imhs-ws-client.rb 'C:\imhs-ws-client'
