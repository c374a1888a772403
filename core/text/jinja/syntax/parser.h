#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/text/jinja/syntax/lexer.h"
#include "core/text/jinja/syntax/syntax_tree.h"

namespace spd::jinja {

/// Parses a template. Tags, filters and tests that the language lacks are refused here, by name.
/// @throws Fault with its line
Template parseTemplate(std::string_view source);

/// One pass over the tokens, recursive descent, never deeper than max_parse_depth.
class Parser {
public:
    explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}
    Template run();

private:
    // Statements (parser.cpp).
    Block parseBlock(std::initializer_list<std::string_view> end_tags);
    Block parseBody(std::initializer_list<std::string_view> end_tags);
    Statement parseStatement();
    Statement parseSet(int line);
    Statement parseFor(int line);
    Statement parseIf(int line);
    Statement parseMacro(int line);
    Target parseTarget(bool allows_attributes, bool ends_at_in);
    Target parseSingleTarget(bool allows_attributes);

    // Expressions (expression_parser.cpp).
    ExpressionPtr parseTuple(bool with_conditional, bool in_parentheses, bool ends_at_recursive = false);
    ExpressionPtr parseExpression(bool with_conditional = true);
    ExpressionPtr parseLogical(bool is_and);
    ExpressionPtr parseNot();
    ExpressionPtr parseComparison();
    ExpressionPtr parseArithmetic(int level);
    ExpressionPtr parseConcatenation();
    ExpressionPtr parseUnary(bool with_filters);
    ExpressionPtr parsePrimary();
    ExpressionPtr parseName();
    ExpressionPtr parseNumber();
    ExpressionPtr parseList();
    ExpressionPtr parseDict();

    // What follows a value (postfix_parser.cpp).
    ExpressionPtr parsePostfix(ExpressionPtr object);
    ExpressionPtr parseSubscript(ExpressionPtr object);
    ExpressionPtr parseFilters(ExpressionPtr input);
    ExpressionPtr parseFilter(ExpressionPtr input);
    ExpressionPtr parseTest(ExpressionPtr input);
    CallArguments parseArguments();

    // Tokens.
    const Token& current() const { return tokens_[at_]; }
    const Token& ahead() const { return tokens_[at_ + 1 < tokens_.size() ? at_ + 1 : at_]; }
    Token take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
    bool skipSymbol(std::string_view text);
    bool skipName(std::string_view text);
    void expectSymbol(std::string_view text);
    std::string expectName(std::string_view what);
    void expect(TokenType type, std::string_view what);
    [[noreturn]] void fail(const std::string& rule) const { throw Fault(rule, current().line); }
    [[noreturn]] void failUnexpected(std::string_view expected) const;

    NameId idOf(const std::string& name);
    ExpressionPtr make(int line, Expression::Node node);

    /// Counts one level of nesting while it lives.
    class Level {
    public:
        explicit Level(Parser& parser);
        ~Level() { --parser_.depth_; }
        Level(const Level&) = delete;
        Level& operator=(const Level&) = delete;

    private:
        Parser& parser_;
    };

    std::vector<Token> tokens_;
    size_t at_ = 0;
    int depth_ = 0;
    int loops_ = 0;  // around this place, within the same macro
    Template result_;
    std::unordered_map<std::string, NameId> ids_;
};

}  // namespace spd::jinja
