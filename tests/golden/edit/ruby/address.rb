ROOT_URI = 'https://[2001:db8::1]:8443/x'
