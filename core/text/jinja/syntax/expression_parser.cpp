#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/text/jinja/syntax/parser.h"
#include "core/text/jinja/syntax/tree_depth.h"

// Jinja's grammar, from the loosest binding down: if-else, or, and, not, comparisons, + -, ~, * / // %, **,
// signs, then what postfix_parser.cpp parses: subscripts and calls, filters and tests.
namespace spd::jinja {

ExpressionPtr Parser::make(int line, Expression::Node node) {
    const int depth = depthOfChildren(node) + 1;
    // The tree is walked and destroyed recursively, and chains such as a+a+a grow it without recursion here.
    if (depth > max_parse_depth)
        throw Fault("nested deeper than 128", line);
    return std::make_unique<Expression>(Expression{line, depth, std::move(node)});
}

/// One expression, or several with commas. An empty tuple needs its parentheses.
ExpressionPtr Parser::parseTuple(bool with_conditional, bool in_parentheses, bool ends_at_recursive) {
    const int line = current().line;
    std::vector<ExpressionPtr> items;
    bool is_tuple = false;
    const auto atEnd = [&] {
        return current().type == TokenType::variable_end || current().type == TokenType::block_end ||
               current().isSymbol(")") || (ends_at_recursive && current().isName("recursive"));
    };
    while (!atEnd()) {
        items.push_back(parseExpression(with_conditional));
        if (!skipSymbol(","))
            break;
        is_tuple = true;
    }
    if (!is_tuple && !items.empty())
        return std::move(items.front());
    if (!is_tuple && !in_parentheses)
        failUnexpected("an expression");
    return make(line, SequenceLiteral{true, std::move(items)});
}

ExpressionPtr Parser::parseExpression(bool with_conditional) {
    const Level level(*this);
    const int line = current().line;
    ExpressionPtr expression = parseLogical(false);
    while (with_conditional && skipName("if")) {
        ExpressionPtr condition = parseLogical(false);
        ExpressionPtr otherwise = skipName("else") ? parseExpression() : nullptr;
        expression =
            make(line, Conditional{std::move(condition), std::move(expression), std::move(otherwise)});
    }
    return expression;
}

ExpressionPtr Parser::parseLogical(bool is_and) {
    const int line = current().line;
    std::vector<ExpressionPtr> operands;
    do
        operands.push_back(is_and ? parseNot() : parseLogical(true));
    while (skipName(is_and ? "and" : "or"));
    if (operands.size() == 1)
        return std::move(operands.front());
    return make(line, Logical{is_and, std::move(operands)});
}

ExpressionPtr Parser::parseNot() {
    const int line = current().line;
    if (!skipName("not"))
        return parseComparison();
    const Level level(*this);
    return make(line, Unary{Unary::Operator::logical_not, parseNot()});
}

ExpressionPtr Parser::parseComparison() {
    using Op = ComparisonOperator;
    static constexpr std::pair<std::string_view, Op> signs[] = {
        {"==", Op::eq}, {"!=", Op::ne}, {"<", Op::lt}, {"<=", Op::le}, {">", Op::gt}, {">=", Op::ge}};
    const int line = current().line;
    Comparison node{parseArithmetic(0), {}};
    while (true) {
        const auto* sign = std::find_if(std::begin(signs), std::end(signs), [this](const auto& entry) {
            return current().isSymbol(entry.first);
        });
        if (sign != std::end(signs)) {
            take();
            node.rest.emplace_back(sign->second, parseArithmetic(0));
        } else if (skipName("in")) {
            node.rest.emplace_back(Op::in, parseArithmetic(0));
        } else if (current().isName("not") && ahead().isName("in")) {
            take();
            take();
            node.rest.emplace_back(Op::not_in, parseArithmetic(0));
        } else {
            break;
        }
    }
    return node.rest.empty() ? std::move(node.first) : make(line, std::move(node));
}

/// Left-associative operators: level 0 is + and -, 1 is * / // %, 2 is ** (which Jinja groups to the left,
/// too).
ExpressionPtr Parser::parseArithmetic(int level) {
    using Op = ArithmeticOperator;
    struct Sign {
        std::string_view text;
        Op op;
        int level;
    };
    static constexpr Sign signs[] = {
        {"+", Op::add, 0},           {"-", Op::subtract, 0}, {"*", Op::multiply, 1}, {"/", Op::divide, 1},
        {"//", Op::floor_divide, 1}, {"%", Op::modulo, 1},   {"**", Op::power, 2}};
    const auto operand = [&] {
        return level == 0 ? parseConcatenation() : level == 1 ? parseArithmetic(2) : parseUnary(true);
    };
    const int line = current().line;
    ExpressionPtr left = operand();
    while (true) {
        const auto* sign = std::find_if(std::begin(signs), std::end(signs), [&](const Sign& entry) {
            return entry.level == level && current().isSymbol(entry.text);
        });
        if (sign == std::end(signs))
            return left;
        take();
        ExpressionPtr right = operand();
        left = make(line, Arithmetic{sign->op, std::move(left), std::move(right)});
    }
}

ExpressionPtr Parser::parseConcatenation() {
    const int line = current().line;
    std::vector<ExpressionPtr> operands;
    do
        operands.push_back(parseArithmetic(1));
    while (skipSymbol("~"));
    if (operands.size() == 1)
        return std::move(operands.front());
    return make(line, Concatenation{std::move(operands)});
}

ExpressionPtr Parser::parseUnary(bool with_filters) {
    const int line = current().line;
    ExpressionPtr node;
    if (current().isSymbol("-") || current().isSymbol("+")) {
        const Level level(*this);
        const auto op = take().value == "-" ? Unary::Operator::negate : Unary::Operator::plus;
        node = make(line, Unary{op, parseUnary(false)});
    } else {
        node = parsePrimary();
    }
    node = parsePostfix(std::move(node));
    return with_filters ? parseFilters(std::move(node)) : std::move(node);
}

ExpressionPtr Parser::parsePrimary() {
    const int line = current().line;
    switch (current().type) {
        case TokenType::name:
            return parseName();
        case TokenType::integer:
        case TokenType::real:
            return parseNumber();
        case TokenType::string: {
            std::string text;
            while (current().type == TokenType::string)
                text += take().value;
            return make(line, Constant{Value::text(std::move(text))});
        }
        default:
            break;
    }
    if (skipSymbol("(")) {
        ExpressionPtr inner = parseTuple(true, true);
        expectSymbol(")");
        return inner;
    }
    if (current().isSymbol("["))
        return parseList();
    if (current().isSymbol("{"))
        return parseDict();
    failUnexpected("an expression");
}

ExpressionPtr Parser::parseName() {
    const int line = current().line;
    const std::string name = take().value;
    if (name == "true" || name == "True" || name == "false" || name == "False")
        return make(line, Constant{Value(name == "true" || name == "True")});
    if (name == "none" || name == "None")
        return make(line, Constant{Value(None{})});
    return make(line, Name{idOf(name)});
}

ExpressionPtr Parser::parseNumber() {
    const bool is_real = current().type == TokenType::real;
    Token token = take();
    std::string& digits = token.value;
    std::erase(digits, '_');
    if (is_real) {
        double number = 0;
        const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), number);
        if (result.ec != std::errc() || !std::isfinite(number))
            throw Fault("a number beyond the range of double", token.line);
        return make(token.line, Constant{Value(number)});
    }
    int base = 10;
    if (digits.size() > 2 && (digits[1] | 0x20) >= 'a') {
        base = (digits[1] | 0x20) == 'x' ? 16 : (digits[1] | 0x20) == 'o' ? 8 : 2;
        digits.erase(0, 2);
    }
    int64_t number = 0;
    if (std::from_chars(digits.data(), digits.data() + digits.size(), number, base).ec != std::errc())
        throw Fault("an integer beyond 64 bits", token.line);
    return make(token.line, Constant{Value(number)});
}

ExpressionPtr Parser::parseList() {
    const int line = current().line;
    expectSymbol("[");
    std::vector<ExpressionPtr> items;
    while (!current().isSymbol("]")) {
        items.push_back(parseExpression());
        if (!skipSymbol(","))
            break;
    }
    expectSymbol("]");
    return make(line, SequenceLiteral{false, std::move(items)});
}

ExpressionPtr Parser::parseDict() {
    const int line = current().line;
    expectSymbol("{");
    DictLiteral dict;
    while (!current().isSymbol("}")) {
        ExpressionPtr key = parseExpression();
        expectSymbol(":");
        dict.items.emplace_back(std::move(key), parseExpression());
        if (!skipSymbol(","))
            break;
    }
    expectSymbol("}");
    return make(line, std::move(dict));
}

}  // namespace spd::jinja
