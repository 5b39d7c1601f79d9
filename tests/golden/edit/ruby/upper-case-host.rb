ROOT_URI = 'HTTPS://US.IMHS-WS.TrendMicro.COM/imhs/v1.0/en'
