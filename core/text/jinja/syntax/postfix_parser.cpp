#include "core/text/jinja/builtins/builtins.h"
#include "core/text/jinja/syntax/parser.h"

// What follows a value: .name, [index], (arguments), | filter, is test.
namespace spd::jinja {
namespace {

/// Filters and tests that other filters call by name, where the name is written out: map("trim").
void checkNamedArgument(const std::string& filter, const CallArguments& arguments, int line) {
    const bool is_map = filter == "map";
    const bool takes_test = filter == "select" || filter == "reject";
    const bool takes_attribute = filter == "selectattr" || filter == "rejectattr";
    const size_t index = takes_attribute ? 1 : 0;
    if ((!is_map && !takes_test && !takes_attribute) || arguments.positional.size() <= index)
        return;
    const auto* constant = std::get_if<Constant>(&arguments.positional[index]->node);
    const Text* name = constant ? constant->value.asText() : nullptr;
    if (name && is_map && !findFilter(name->bytes))
        throw Fault("unknown filter '" + name->bytes + "'", line);
    if (name && !is_map && !findTest(name->bytes))
        throw Fault("unknown test '" + name->bytes + "'", line);
}

}  // namespace

ExpressionPtr Parser::parsePostfix(ExpressionPtr object) {
    while (true) {
        const int line = current().line;
        if (skipSymbol(".")) {
            if (current().type == TokenType::integer) {
                ExpressionPtr index = parseNumber();
                object = make(line, Subscript{std::move(object), std::move(index)});
            } else {
                object = make(line, Attribute{std::move(object), expectName("an attribute's name")});
            }
        } else if (current().isSymbol("[")) {
            object = parseSubscript(std::move(object));
        } else if (current().isSymbol("(")) {
            CallArguments arguments = parseArguments();
            object = make(line, Call{std::move(object), std::move(arguments)});
        } else {
            return object;
        }
    }
}

/// object[index] or object[start:stop:step].
ExpressionPtr Parser::parseSubscript(ExpressionPtr object) {
    const int line = current().line;
    expectSymbol("[");
    ExpressionPtr parts[3];
    bool is_slice = false;
    for (int i = 0; i < 3; ++i) {
        if (!current().isSymbol(":") && !current().isSymbol("]"))
            parts[i] = parseExpression();
        if (i == 2 || !skipSymbol(":"))
            break;
        is_slice = true;
    }
    if (current().isSymbol(","))
        fail("a subscript of several parts is not supported");
    if (!is_slice && !parts[0])
        failUnexpected("an index");
    expectSymbol("]");
    if (!is_slice)
        return make(line, Subscript{std::move(object), std::move(parts[0])});
    return make(line,
                Slice{std::move(object), std::move(parts[0]), std::move(parts[1]), std::move(parts[2])});
}

ExpressionPtr Parser::parseFilters(ExpressionPtr input) {
    while (true) {
        if (current().isSymbol("|")) {
            input = parseFilter(std::move(input));
        } else if (current().isName("is")) {
            input = parseTest(std::move(input));
        } else if (current().isSymbol("(")) {
            const int line = current().line;
            CallArguments arguments = parseArguments();
            input = make(line, Call{std::move(input), std::move(arguments)});
        } else {
            return input;
        }
    }
}

ExpressionPtr Parser::parseFilter(ExpressionPtr input) {
    const int line = current().line;
    expectSymbol("|");
    std::string name = expectName("a filter's name");
    if (!findFilter(name))
        throw Fault("unknown filter '" + name + "'", line);
    CallArguments arguments;
    if (current().isSymbol("("))
        arguments = parseArguments();
    checkNamedArgument(name, arguments, line);
    return make(line, Filter{std::move(input), std::move(name), std::move(arguments)});
}

ExpressionPtr Parser::parseTest(ExpressionPtr input) {
    const int line = current().line;
    take();  // is
    const bool is_negated = skipName("not");
    std::string name = expectName("a test's name");
    if (!findTest(name))
        throw Fault("unknown test '" + name + "'", line);
    CallArguments arguments;
    const Token& next = current();
    const bool is_operand =
        next.type == TokenType::string || next.type == TokenType::integer || next.type == TokenType::real ||
        next.isSymbol("[") || next.isSymbol("{") ||
        (next.type == TokenType::name && next.value != "else" && next.value != "or" && next.value != "and");
    if (next.isSymbol("("))
        arguments = parseArguments();
    else if (next.isName("is"))
        fail("tests cannot be chained with 'is'");
    else if (is_operand)
        arguments.positional.push_back(parsePostfix(parsePrimary()));
    ExpressionPtr test = make(line, Test{std::move(input), std::move(name), std::move(arguments)});
    return is_negated ? make(line, Unary{Unary::Operator::logical_not, std::move(test)}) : std::move(test);
}

CallArguments Parser::parseArguments() {
    expectSymbol("(");
    CallArguments arguments;
    while (!current().isSymbol(")")) {
        if (current().isSymbol("*") || current().isSymbol("**"))
            fail("unpacked arguments (" + current().value + ") are not supported");
        if (current().type == TokenType::name && ahead().isSymbol("=")) {
            std::string name = take().value;
            take();
            arguments.named.emplace_back(std::move(name), parseExpression());
        } else if (!arguments.named.empty()) {
            fail("a positional argument follows a named one");
        } else {
            arguments.positional.push_back(parseExpression());
        }
        if (!skipSymbol(","))
            break;
    }
    expectSymbol(")");
    return arguments;
}

}  // namespace spd::jinja
