#include "core/text/jinja/syntax/parser.h"

#include <algorithm>
#include <utility>

#include "core/text/jinja/runtime/meter.h"

namespace spd::jinja {

Template parseTemplate(std::string_view source) {
    return Parser(tokenize(source)).run();
}

Template Parser::run() {
    result_.body = parseBlock({});
    return std::move(result_);
}

Parser::Level::Level(Parser& parser) : parser_(parser) {
    if (parser.depth_ >= max_parse_depth)
        parser.fail("nested deeper than 128");
    ++parser_.depth_;
}

/// Statements up to one of `end_tags`, whose name is then the current token; with none, up to the end.
Block Parser::parseBlock(std::initializer_list<std::string_view> end_tags) {
    const Level level(*this);
    Block block;
    while (current().type != TokenType::end) {
        const int line = current().line;
        if (current().type == TokenType::data) {
            block.push_back(
                Statement{line, Data{std::make_shared<const Text>(makeText(take().value, false))}});
        } else if (current().type == TokenType::variable_begin) {
            take();
            block.push_back(Statement{line, Print{parseTuple(true, false)}});
            expect(TokenType::variable_end, "}}");
        } else {
            expect(TokenType::block_begin, "{%");
            const auto isCurrent = [this](std::string_view tag) { return current().isName(tag); };
            if (std::any_of(end_tags.begin(), end_tags.end(), isCurrent))
                return block;
            block.push_back(parseStatement());
            expect(TokenType::block_end, "%}");
        }
    }
    if (end_tags.size() > 0)
        fail("the template ends before {% " + std::string(*(end_tags.end() - 1)) + " %}");
    return block;
}

/// The rest of an opening tag and the body up to one of `end_tags`, which becomes the current token.
Block Parser::parseBody(std::initializer_list<std::string_view> end_tags) {
    skipSymbol(":");
    expect(TokenType::block_end, "%}");
    return parseBlock(end_tags);
}

Statement Parser::parseStatement() {
    const int line = current().line;
    const std::string tag = expectName("a tag's name");
    if (tag == "set")
        return parseSet(line);
    if (tag == "for")
        return parseFor(line);
    if (tag == "if")
        return parseIf(line);
    if (tag == "macro")
        return parseMacro(line);
    if (tag == "generation") {
        const int loops = std::exchange(loops_, 0);
        Block body = parseBody({"endgeneration"});
        loops_ = loops;
        take();
        return {line, Generation{std::move(body)}};
    }
    if (tag == "break" || tag == "continue") {
        if (loops_ == 0)
            throw Fault("{% " + tag + " %} outside a loop", line);
        return {line, LoopControl{tag == "break"}};
    }
    static constexpr std::string_view inner[] = {"else",   "elif",     "endif",         "endfor",
                                                 "endset", "endmacro", "endgeneration", "endraw"};
    if (std::find(std::begin(inner), std::end(inner), tag) != std::end(inner))
        throw Fault("{% " + tag + " %} closes nothing that is open here", line);
    throw Fault("unknown tag '" + tag + "'", line);
}

Statement Parser::parseSet(int line) {
    Target target = parseTarget(true, false);
    if (skipSymbol("="))
        return {line, Assign{std::move(target), parseTuple(true, false)}};
    ExpressionPtr filter;
    while (current().isSymbol("|"))
        filter = parseFilter(std::move(filter));
    const int loops = std::exchange(loops_, 0);  // a captured body cannot end the loop around it
    Block body = parseBody({"endset"});
    loops_ = loops;
    take();
    return {line, AssignBlock{std::move(target), std::move(filter), std::move(body)}};
}

namespace {

bool assigns(const Target& target, NameId id) {
    if (target.is_tuple)
        return std::any_of(target.tuple.begin(), target.tuple.end(),
                           [id](const Target& part) { return assigns(part, id); });
    return !target.attribute && target.id == id;
}

}  // namespace

Statement Parser::parseFor(int line) {
    Target target = parseTarget(false, true);
    if (assigns(target, idOf("loop")))
        throw Fault("a loop cannot assign to its special variable 'loop'", line);
    if (!skipName("in"))
        failUnexpected("'in'");
    ExpressionPtr iterable = parseTuple(false, false, true);
    ExpressionPtr condition = skipName("if") ? parseExpression() : nullptr;
    const bool is_recursive = skipName("recursive");
    ++loops_;
    Block body = parseBody({"else", "endfor"});
    --loops_;
    Block otherwise;
    if (take().value == "else") {
        otherwise = parseBody({"endfor"});
        take();
    }
    return {line, For{std::move(target), std::move(iterable), std::move(condition), std::move(body),
                      std::move(otherwise), is_recursive}};
}

Statement Parser::parseIf(int line) {
    If node;
    while (true) {
        ExpressionPtr condition = parseTuple(false, false);
        node.branches.emplace_back(std::move(condition), parseBody({"elif", "else", "endif"}));
        const std::string tag = take().value;
        if (tag == "elif")
            continue;
        if (tag == "else") {
            node.otherwise = parseBody({"endif"});
            take();
        }
        return {line, std::move(node)};
    }
}

Statement Parser::parseMacro(int line) {
    MacroStatement macro;
    macro.id = idOf(expectName("the macro's name"));
    expectSymbol("(");
    while (!current().isSymbol(")")) {
        if (!macro.parameters.empty())
            expectSymbol(",");
        macro.parameters.push_back(idOf(expectName("a parameter's name")));
        if (skipSymbol("="))
            macro.defaults.push_back(parseExpression());
        else if (!macro.defaults.empty())
            fail("a parameter without a default follows one with a default");
    }
    expectSymbol(")");
    const int loops = std::exchange(loops_, 0);
    macro.body = parseBody({"endmacro"});
    loops_ = loops;
    take();
    return {line, std::move(macro)};
}

/// name, namespace.attribute, (a, b) or a, b.
Target Parser::parseTarget(bool allows_attributes, bool ends_at_in) {
    const Level level(*this);
    std::vector<Target> parts;
    bool is_tuple = false;
    const auto atEnd = [&] {
        return current().type == TokenType::block_end || current().isSymbol(")") || current().isSymbol("=") ||
               (ends_at_in && current().isName("in"));
    };
    while (!atEnd()) {
        parts.push_back(parseSingleTarget(allows_attributes));
        if (!skipSymbol(","))
            break;
        is_tuple = true;
    }
    if (parts.empty())
        failUnexpected("a name to assign to");
    if (!is_tuple)
        return std::move(parts.front());
    Target target;
    target.is_tuple = true;
    target.tuple = std::move(parts);
    return target;
}

Target Parser::parseSingleTarget(bool allows_attributes) {
    if (skipSymbol("(")) {
        Target inner = parseTarget(allows_attributes, false);
        expectSymbol(")");
        return inner;
    }
    const std::string name = expectName("a name to assign to");
    for (const std::string_view constant : {"true", "false", "none", "True", "False", "None"})
        if (name == constant)
            fail("cannot assign to '" + name + "'");
    Target target;
    target.id = idOf(name);
    if (allows_attributes && skipSymbol("."))
        target.attribute = expectName("an attribute's name");
    if (target.attribute && target.attribute->starts_with('_'))
        fail("a namespace cannot hold '" + *target.attribute + "': the name starts with an underscore");
    return target;
}

bool Parser::skipSymbol(std::string_view text) {
    const bool hit = current().isSymbol(text);
    if (hit)
        take();
    return hit;
}

bool Parser::skipName(std::string_view text) {
    const bool hit = current().isName(text);
    if (hit)
        take();
    return hit;
}

void Parser::expectSymbol(std::string_view text) {
    if (!skipSymbol(text))
        failUnexpected("'" + std::string(text) + "'");
}

std::string Parser::expectName(std::string_view what) {
    if (current().type != TokenType::name)
        failUnexpected(what);
    return take().value;
}

void Parser::expect(TokenType type, std::string_view what) {
    if (current().type != type)
        failUnexpected(what);
    take();
}

void Parser::failUnexpected(std::string_view expected) const {
    static constexpr std::string_view words[] = {
        "text", "{{", "}}", "{%", "%}", "", "a string", "", "", "", "the template's end"};
    const std::string_view word = words[static_cast<size_t>(current().type)];
    fail("expected " + std::string(expected) + ", found " +
         (word.empty() ? "'" + current().value + "'" : std::string(word)));
}

NameId Parser::idOf(const std::string& name) {
    const auto [entry, is_new] = ids_.emplace(name, static_cast<NameId>(result_.names.size()));
    if (is_new)
        result_.names.push_back(name);
    return entry->second;
}

}  // namespace spd::jinja
