#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "core/text/jinja/runtime/runtime.h"
#include "core/text/jinja/syntax/syntax_tree.h"

namespace spd::jinja {

/// Variables of one block; names that are not found go on to the parent, as in Jinja. Assignments stay in the
/// scope.
struct Scope {
    std::shared_ptr<Scope> parent;
    std::vector<std::pair<NameId, Value>> variables;
};

/// Renders one template once. @throws Fault; line() then says where the template stood
class Evaluator {
public:
    Evaluator(const Template& source, Runtime& runtime);
    ~Evaluator();
    Evaluator(const Evaluator&) = delete;
    Evaluator& operator=(const Evaluator&) = delete;

    /// A variable that the template sees. Names that it never mentions are left out.
    void define(std::string_view name, Value value);
    Text render();
    int line() const { return line_; }

private:
    enum class Flow { normal, loop_break, loop_continue };
    class Nesting;    // one level of evaluation while it lives
    class CallLevel;  // one call of a macro or loop
    class Inner;      // a new scope while it lives

    // Statements (evaluator.cpp).
    Flow run(const Block& block);
    Flow run(const Statement& statement);
    Flow runNode(const Data& node);
    Flow runNode(const Print& node);
    Flow runNode(const Assign& node);
    Flow runNode(const AssignBlock& node);
    Flow runNode(const If& node);
    Flow runNode(const For& node);
    Flow runNode(const MacroStatement& node);
    Flow runNode(const Generation& node);
    Flow runNode(const LoopControl& node);
    Flow runLoop(const For& node, const Value& iterable, int depth);
    std::shared_ptr<const Sequence> loopItems(const For& node, const Value& iterable);
    void assign(const Target& target, const Value& value);
    void assignAttribute(const Target& target, const Value& value);
    void setVariable(NameId id, Value value);
    const Value* findVariable(NameId id);
    void emit(const Value& value);
    template <typename Body>
    Text capture(Body body);

    // Expressions (expression_evaluator.cpp).
    Value evaluate(const ExpressionPtr& expression) { return evaluate(*expression); }
    Value evaluate(const Expression& expression);
    Value evaluateNode(const Constant& node) { return node.value; }
    Value evaluateNode(const Name& node);
    Value evaluateNode(const Attribute& node);
    Value evaluateNode(const Subscript& node);
    Value evaluateNode(const Slice& node);
    Value evaluateNode(const Call& node);
    Value evaluateNode(const Filter& node);
    Value evaluateNode(const Test& node);
    Value evaluateNode(const Unary& node);
    Value evaluateNode(const Arithmetic& node);
    Value evaluateNode(const Logical& node);
    Value evaluateNode(const Comparison& node);
    Value evaluateNode(const Concatenation& node);
    Value evaluateNode(const Conditional& node);
    Value evaluateNode(const SequenceLiteral& node);
    Value evaluateNode(const DictLiteral& node);
    Value call(const Value& callee, const Arguments& arguments);
    Value callMacro(const Macro& macro, const Arguments& arguments);
    Value callLoop(const LoopState& loop, const Arguments& arguments);
    void bindParameters(const MacroStatement& macro, const Arguments& arguments);
    Arguments evaluateArguments(const CallArguments& arguments);

    const Template& source_;
    Runtime& runtime_;
    std::shared_ptr<Scope> scope_;
    TextBuilder* out_ = nullptr;
    const Value* captured_text_ = nullptr;  // the input of a block set's first filter
    int line_ = 0;
    int nesting_ = 0;
    int calls_ = 0;
    NameId loop_id_;
    /// Scopes that macros and recursive loops keep, and that keep them: emptied at the end to free such
    /// rings.
    std::vector<std::shared_ptr<Scope>> captured_;
};

class Evaluator::Nesting {
public:
    explicit Nesting(Evaluator& evaluator) : evaluator_(evaluator) {
        if (evaluator.nesting_ >= max_evaluation_depth)
            throw Fault("evaluates more than 400 nested nodes");
        ++evaluator.nesting_;
        evaluator.runtime_.meter.step();
    }
    ~Nesting() { --evaluator_.nesting_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;

private:
    Evaluator& evaluator_;
};

class Evaluator::CallLevel {
public:
    explicit CallLevel(Evaluator& evaluator) : evaluator_(evaluator) {
        if (evaluator.calls_ >= max_call_depth)
            throw Fault("calls nested deeper than 64");
        ++evaluator.calls_;
    }
    ~CallLevel() { --evaluator_.calls_; }
    CallLevel(const CallLevel&) = delete;
    CallLevel& operator=(const CallLevel&) = delete;

private:
    Evaluator& evaluator_;
};

class Evaluator::Inner {
public:
    Inner(Evaluator& evaluator, std::shared_ptr<Scope> parent)
        : evaluator_(evaluator), outer_(evaluator.scope_) {
        evaluator.scope_ = std::make_shared<Scope>(Scope{std::move(parent), {}});
    }
    explicit Inner(Evaluator& evaluator) : Inner(evaluator, evaluator.scope_) {}
    ~Inner() { evaluator_.scope_ = std::move(outer_); }
    Inner(const Inner&) = delete;
    Inner& operator=(const Inner&) = delete;

private:
    Evaluator& evaluator_;
    std::shared_ptr<Scope> outer_;
};

/// What `body` prints, as a text of its own.
template <typename Body>
Text Evaluator::capture(Body body) {
    TextBuilder builder(runtime_.meter);
    TextBuilder* const outer = std::exchange(out_, &builder);
    try {
        body();
    } catch (...) {
        out_ = outer;
        throw;
    }
    out_ = outer;
    return builder.take();
}

}  // namespace spd::jinja
