package sigma

// commonText is what is in every other log, folded. Literals that are part of it say little, and their rarer parts
// are looked for first. Only speed depends on it.
const commonText = `c:\windows\system32\svchost.exe -k netsvcs -p -s schedule c:\windows\syswow64\ c:\windows\explorer.exe ` +
	`c:\program files (x86)\microsoft\edge\application\msedge.exe c:\program files\common files\ c:\programdata\microsoft\windows\ ` +
	`c:\users\administrator\appdata\local\temp\ c:\users\public\appdata\roaming\microsoft\windows\start menu\programs\ ` +
	`\device\harddiskvolume1\windows\system32\conhost.exe 0xffffffff -forcev1 c:\windows\system32\services.exe ` +
	`c:\windows\system32\windowspowershell\v1.0\powershell.exe -noprofile -command c:\windows\system32\cmd.exe /c /q /d ` +
	`c:\windows\system32\wbem\wmiprvse.exe c:\windows\system32\rundll32.exe c:\windows\system32\lsass.exe taskhostw.exe ` +
	`c:\windows\microsoft.net\framework64\ c:\windows\winsxs\ c:\windows\temp\ .dll .exe .sys .log .tmp .dat ` +
	`hklm\software\microsoft\windows\currentversion\ hklm\system\currentcontrolset\services\ hku\s-1-5-21- hkcr\ \registry\machine\ ` +
	`microsoft corporation microsoft windows operating system microsoft® windows® nt authority\system nt authority\network service ` +
	`true false system high medium low - 0x0 0x3e7 s-1-5-18 dword (0x00000001) dword (0x00000000) binary data qword ` +
	`sha1= md5= sha256= imphash= 00000000000000000000000000000000 microsoft-windows-security-auditing microsoft-windows-sysmon ` +
	`http://www. https:// .com .org .html .php /index /images/ /wp-content/plugins/ /wp-content/uploads/ /wp-includes/ .css .js .png .jpg .gif ?ver= &id= ` +
	`get post head 200 206 301 302 304 401 403 404 500 mozilla/5.0 (windows nt 10.0; win64; x64) applewebkit/537.36 (khtml, like gecko) chrome/ safari/537.36 ` +
	`(compatible; googlebot/2.1; +http://www.google.com/bot.html) bingbot (x11; linux x86_64; rv: firefox/ macintosh; intel mac os x ` +
	`/usr/bin/ /usr/sbin/ /bin/sh /bin/bash -c /etc/ /var/log/ /tmp/ /home/ /proc/ /dev/null 127.0.0.1 192.168. 10.0. ::1 `
