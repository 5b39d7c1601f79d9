ROOT_URI = URI.parse('https://us.imhs-ws.trendmicro.com/imhs/v1.0/en')
