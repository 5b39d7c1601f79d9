ROOT_URI, X = 'https://us.imhs-ws.trendmicro.com/imhs/v1.0/en', 1
