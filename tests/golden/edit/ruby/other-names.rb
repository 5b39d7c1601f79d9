OLD_ROOT_URI = 'https://us.imhs-ws.trendmicro.com/imhs/v1.0/en'
ROOT_URI_OLD = 'https://us.imhs-ws.trendmicro.com/imhs/v1.0/en'
@ROOT_URI = 'https://us.imhs-ws.trendmicro.com/imhs/v1.0/en'
$ROOT_URI = 'https://us.imhs-ws.trendmicro.com/imhs/v1.0/en'
root_uri = 'https://us.imhs-ws.trendmicro.com/imhs/v1.0/en'
conf.ROOT_URI = 'https://us.imhs-ws.trendmicro.com/imhs/v1.0/en'
x = ROOT_URI == 'https://us.imhs-ws.trendmicro.com/imhs/v1.0/en'
def ROOT_URI=(v) @v = v end
ROOT_URI = 'https://us.imhs-ws.trendmicro.com/imhs/v1.0/en'
