ROOT_URI = 'https://us.imhs-ws.trendmicro.com'
