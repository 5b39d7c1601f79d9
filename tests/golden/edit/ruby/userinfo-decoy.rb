ROOT_URI = 'https://us.imhs-ws.trendmicro.com:x@proxy.example/x'
