# Ruby's own answer, for test_ruby_oracle.c. On stdin: programs, each a line with its length in bytes, then the bytes. On
# stdout for each a line: "bad" when Ruby does not take it, else the assignments of ROOT_URI, "LINE:VALUE" in hex, VALUE
# empty when it is not one plain string.
$VERBOSE = nil

def constant?(node)
  name = node.children[0]
  name = name.children.last if name.is_a?(RubyVM::AbstractSyntaxTree::Node)
  name = node.children[1] if name != :ROOT_URI && node.children[1] == :ROOT_URI
  name == :ROOT_URI
end

def value(node)
  last = node.children.last
  return '' unless last.is_a?(RubyVM::AbstractSyntaxTree::Node)

  last = last.children[0] if last.type == :CALL && last.children[1] == :freeze
  last.is_a?(RubyVM::AbstractSyntaxTree::Node) && last.type == :STR ? last.children[0].b.unpack1('H*') : ''
end

def walk(node, found)
  return unless node.is_a?(RubyVM::AbstractSyntaxTree::Node)

  if %i[CDECL OP_CDECL].include?(node.type) && constant?(node)
    found << "#{node.first_lineno}:#{node.type == :CDECL ? value(node) : ''}"
  end
  node.children.each { |child| child.is_a?(Array) ? child.each { |c| walk(c, found) } : walk(child, found) }
end

def answer(source)
  found = []
  walk(RubyVM::AbstractSyntaxTree.parse(source), found)
  found.join(' ')
rescue SyntaxError, ArgumentError, EncodingError
  'bad'
end

$stdin.binmode
$stderr.reopen(File::NULL)
while (length = $stdin.gets)
  source = $stdin.read(length.to_i)
  puts answer(source.force_encoding('UTF-8'))
end
