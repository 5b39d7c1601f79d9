A = <<X
ROOT_URI = 'https://us.imhs-ws.trendmicro.com/imhs/v1.0/en'
X
B = <<-"Y Z".strip
	ROOT_URI = 'https://us.imhs-ws.trendmicro.com/imhs/v1.0/en'
	Y Z
C = <<~'W'
  ROOT_URI = 'https://us.imhs-ws.trendmicro.com/imhs/v1.0/en' #{
  W
D = [<<P, <<Q]
ROOT_URI = 'p'
P
ROOT_URI = 'q'
Q
ROOT_URI = 'https://us.imhs-ws.trendmicro.com/imhs/v1.0/en'
