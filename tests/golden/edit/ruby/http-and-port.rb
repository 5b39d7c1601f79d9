ROOT_URI = 'http://us.imhs-ws.trendmicro.com:8080/imhs/v1.0/en/'
