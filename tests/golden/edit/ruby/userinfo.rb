ROOT_URI = 'https://admin:s3cret@us.imhs-ws.trendmicro.com/x?key=4711'
