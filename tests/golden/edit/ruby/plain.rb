# settings
ACCOUNT = 'admin@acme.example'
API_KEY = 'k-4711'
ROOT_URI = 'https://us.imhs-ws.trendmicro.com/imhs/v1.0/en'
TIMEOUT = 30
