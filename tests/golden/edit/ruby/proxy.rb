ROOT_URI = 'https://hes-proxy.acme.example:8443/imhs/v1.0/en'
