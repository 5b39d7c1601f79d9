A = "ROOT_URI = 'https://us.imhs-ws.trendmicro.com/imhs/v1.0/en'"
B = 'it\'s ROOT_URI = 1'
C = "\#{x} #{"ROOT_URI = 'y'"} "
D = %w[ROOT_URI = '] ; E = /ROOT_URI = '/ ; F = ?' ; G = :'ROOT_URI ='
H = { ROOT_URI: 'x', 'ROOT_URI' => "y" }
ROOT_URI = 'https://us.imhs-ws.trendmicro.com/imhs/v1.0/en'
I = A / 2 # ' / 2
