#include "tests/support/hostile_templates.h"

namespace spd::test {

std::string repeated(const std::string& part, size_t count) {
    std::string out;
    out.reserve(part.size() * count);
    for (size_t i = 0; i < count; ++i)
        out += part;
    return out;
}

namespace {

using Templates = std::vector<HostileTemplate>;

const char* const too_deep = "nested deeper than 128";
const char* const too_long = "1,000,000 steps";
const char* const too_big = "more than 8 MiB";

std::string around(const std::string& before, const std::string& inner, const std::string& after,
                   size_t count) {
    return repeated(before, count) + inner + repeated(after, count);
}

void addDeep(Templates& out) {
    out.push_back({"J1 size", repeated("a", (size_t{1} << 20) + 1), "larger than 1 MiB"});
    const auto expression = [&](const char* name, const std::string& text) {
        out.push_back({std::string("J2 ") + name, "{{ " + text + " }}", too_deep});
    };
    expression("parentheses", around("(", "1", ")", 200));
    expression("many parentheses", around("(", "1", ")", 100'000));
    expression("lists", around("[", "1", "]", 200));
    expression("dicts", around("{1: ", "1", "}", 200));
    expression("signs", repeated("- ", 200) + "1");
    expression("nots", repeated("not ", 200) + "1");
    expression("attributes", "a" + repeated(".b", 200));
    expression("many attributes", "a" + repeated(".b", 300'000));
    expression("subscripts", "a" + repeated("[0]", 200));
    expression("calls", "a" + repeated("()", 200));
    expression("arguments", around("a(", "1", ")", 200));
    expression("filters", "a" + repeated("|trim", 200));
    expression("tests", "a" + repeated(" is defined()", 200));
    expression("sums", "1" + repeated(" + 1", 200'000));
    expression("products", "1" + repeated(" * 1", 200));
    expression("powers", "1" + repeated(" ** 1", 200));
    expression("conditions", repeated("1 if 0 else ", 200) + "1");
    expression("condition chain", "1" + repeated(" if 0", 200));
    out.push_back({"J2 open parentheses", "{{ " + repeated("(", 500'000) + "}}", "unexpected '}'"});
    out.push_back({"J2 ifs", around("{% if 1 %}", "x", "{% endif %}", 200), too_deep});
    out.push_back({"J2 open ifs", repeated("{% if 1 %}", 100'000), too_deep});
    out.push_back({"J2 fors", around("{% for x in [1] %}", "x", "{% endfor %}", 200), too_deep});
    out.push_back({"J2 macros", around("{% macro m() %}", "x", "{% endmacro %}", 200), too_deep});
    out.push_back({"J2 block sets", around("{% set x %}", "x", "{% endset %}", 200), too_deep});
    out.push_back({"J2 generations", around("{% generation %}", "x", "{% endgeneration %}", 200), too_deep});
    out.push_back({"J2 targets", "{% set " + around("(", "x", ",)", 200) + " = 1 %}", too_deep});
}

void addCalls(Templates& out) {
    const char* const calls = "calls nested deeper than 64";
    out.push_back({"J3 self", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", calls});
    out.push_back({"J3 mutual",
                   "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}",
                   calls});
    out.push_back({"J3 by namespace",
                   "{% set ns = namespace() %}{% macro m() %}{{ ns.m() }}{% endmacro %}{% set ns.m = m %}"
                   "{{ m() }}",
                   calls});
    out.push_back({"J3 default", "{% macro m(a=m()) %}x{% endmacro %}{{ m() }}", calls});
    out.push_back({"J3 recursive loop", "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}", calls});
    out.push_back(
        {"J3 loop call", "{% for x in [1] %}{{ loop([1]) }}{% endfor %}", "not marked 'recursive'"});
    out.push_back({"J3 wide frames",
                   "{% macro m() %}{{ " + around("[", "m()", "]", 100) + " }}{% endmacro %}{{ m() }}",
                   "400 nested nodes"});
    out.push_back({"J3 value depth",
                   "{% set ns = namespace(x=[]) %}{% for i in range(100000) %}{% set ns.x = [ns.x] %}"
                   "{% endfor %}",
                   "nested deeper than 64"});
    out.push_back({"J3 dict depth",
                   "{% set ns = namespace(x=1) %}{% for i in range(100000) %}{% set ns.x = {1: ns.x} %}"
                   "{% endfor %}",
                   "nested deeper than 64"});
    out.push_back({"J3 method depth",
                   "{% set ns = namespace(x=1) %}{% for i in range(90000) %}{% set ns.x = {1: ns.x}.get %}"
                   "{% endfor %}",
                   "nested deeper than 64"});
    out.push_back({"J3 loop depth",
                   "{% set ns = namespace(x=1) %}{% for i in range(90000) %}{% for j in [ns.x] %}"
                   "{% set ns.x = loop %}{% endfor %}{% endfor %}",
                   "nested deeper than 64"});
}

void addFuel(Templates& out) {
    const auto add = [&](const char* name, const std::string& source) {
        out.push_back({std::string("J4 ") + name, source, too_long});
    };
    const std::string many = "{% for i in range(99999) %}";
    const std::string twice = many + many;
    const std::string end = "{% endfor %}";
    add("loops", twice + end + end);
    add("conditions", "{% for i in range(99999) if 0 %}" + end + repeated(many + "{{ i }}" + end, 20));
    std::string macros = "{% macro m0() %}{% endmacro %}";
    for (int i = 1; i < 60; ++i)
        macros += "{% macro m" + std::to_string(i) + "() %}{{ m" + std::to_string(i - 1) + "() }}{{ m" +
                  std::to_string(i - 1) + "() }}{% endmacro %}";
    add("doubling macros", macros + "{{ m59() }}");
    const std::string big = "{% set s = 'ab' * 2000000 %}";
    add("copies", big + many + "{% set t = s + 'c' %}" + end);
    add("searches", big + many + "{{ 'ax' in s }}" + end);
    add("quadratic search", "{% set s = 'a' * 4000000 %}" + many + "{{ ('a' * 1000000 + 'b') in s }}" + end);
    add("characters", big + "{% for c in s %}{% endfor %}");
    add("reversals", big + many + "{% set t = s[::-1] %}" + end);
    add("splits", big + many + "{% set t = s.split('a') %}" + end);
    add("replacements", big + many + "{% set t = s | replace('a', 'b') %}" + end);
    add("cases", big + many + "{% set t = s | upper %}" + end);
    add("lengths", big + many + "{% set t = s | length %}" + end);
    add("comparisons", big + "{% set t = s + '' %}" + many + "{% set u = s == t %}" + end);
    add("json", big + many + "{% set t = s | tojson %}" + end);
    add("indents", "{% set s = 'a\\n' * 1000000 %}" + many + "{% set t = s | indent(0) %}" + end);
    add("strips", "{% set s = ' ' * 8000000 %}" + many + "{% set t = s | trim %}" + end);
    add("strip sets", big + many + "{% set t = s.strip(s) %}" + end);
    const std::string list = "{% set l = range(99999) | list %}";
    add("lists", list + many + "{% set t = l + l %}" + end);
    add("growing list", "{% set ns = namespace(l=[]) %}" + many + "{% set ns.l = ns.l + [i] %}" + end);
    add("membership", list + many + "{% set t = -1 in l %}" + end);
    add("sorts", list + many + "{% set t = l | sort(reverse=true) %}" + end);
    add("unique", list + "{{ l | unique | list | length }}");
    add("joins", list + many + "{% set t = l | join(',') %}" + end);
    add("maps", list + many + "{% set t = l | map('string') | list %}" + end);
    add("selections", list + many + "{% set t = l | select('odd') | list %}" + end);
    add("slices", list + many + "{% set t = l[1:] %}" + end);
    add("list comparisons", list + "{% set m = l + [] %}" + many + "{% set t = l == m %}" + end);
    const std::string shared =
        "{% set ns = namespace(x=(1,), y=(1,)) %}{% for i in range(60) %}"
        "{% set ns.x = (ns.x, ns.x) %}{% set ns.y = (ns.y, ns.y) %}{% endfor %}";
    add("shared parts compared", shared + "{{ ns.x == ns.y }}");
    add("shared parts ordered", shared + "{{ ns.x < ns.y }}");
    add("shared parts as keys", shared + "{{ {ns.x: 1}[ns.y] }}");
    add("shared parts printed", shared + "{{ ns.x }}");
    add("shared parts in JSON", shared + "{{ ns.x | tojson }}");
    add("attributes", many + many + "{{ messages[0].role }}" + end + end);
    std::string names;
    for (int i = 0; i < 20'000; ++i)
        names += "{% set v" + std::to_string(i) + " = 1 %}";
    add("variables", names + many + "{{ v0 }}{{ v19999 }}" + end);
    std::string pairs = "{% set d = {";
    for (int i = 0; i < 10'000; ++i)
        pairs += std::to_string(i) + ": 1, ";
    add("dict keys", pairs + "} %}");
    add("namespaces", many + repeated("{% set n = namespace() %}", 20) + end);
    add("macro values", many + repeated("{% macro m() %}{% endmacro %}", 20) + end);
}

void addSizes(Templates& out) {
    const auto add = [&](const char* name, const std::string& source, const char* says) {
        out.push_back({name, source, says});
    };
    add("J5 output", "{% for i in range(100000) %}{{ 'x' * 1000 }}{% endfor %}", too_big);
    add("J5 captured", "{% set s %}{% for i in range(9000) %}{{ 'x' * 1000 }}{% endfor %}{% endset %}",
        too_big);
    add("J6 range", "{{ range(100001) }}", "100,000 items");
    add("J6 largest", "{{ range(9223372036854775807) }}", "100,000 items");
    add("J6 widest", "{{ range(-9223372036854775807, 9223372036854775807, 1) }}", "100,000 items");
    add("J6 down", "{{ range(9223372036854775807, -9223372036854775807, -1) }}", "100,000 items");
    add("J6 zero step", "{{ range(1, 5, 0) }}", "step that is not zero");
    add("J6 text", "{{ range('5') }}", "needs integers");
    add("J7 repeat", "{{ 'x' * 10 ** 10 }}", too_big);
    add("J7 repeat list", "{{ [1] * 10 ** 10 }}", "more than 100,000 items");
    add("J7 repeat largest", "{{ 'xx' * 9223372036854775807 }}", too_big);
    add("J7 join", "{{ range(99999) | join('x' * 1000) }}", too_big);
    add("J7 str join", "{{ ('x' * 5000000).join(['a', 'b', 'c']) }}", too_big);
    add("J7 replace", "{{ ('a' * 10000) | replace('a', 'b' * 10000) }}", too_big);
    add("J7 replace empty", "{{ ('a' * 10000).replace('', 'b' * 10000) }}", too_big);
    add("J7 indent", "{{ 'a\\nb' | indent(10 ** 9) }}", too_big);
    add("J7 indent lines", "{{ ('a\\n' * 10000) | indent(10000) }}", too_big);
    add("J7 tojson indent", "{{ [1] | tojson(indent=10 ** 9) }}", too_big);
    add("J7 tojson deep indent", "{{ [[[[1]]]] | tojson(indent=4000000) }}", too_big);
    add("J7 tojson text", "{{ ('\\n' * 8000000) | tojson }}", too_big);
    add("J7 concatenation", "{% set s = 'x' * 8000000 %}{{ s ~ s }}", too_big);
    add("J7 doubling",
        "{% set ns = namespace(s='x') %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}"
        "{% endfor %}",
        too_big);
    add("J7 upper", "{{ ('ŉ' * 3000000) | upper }}", too_big);
}

void addUnknown(Templates& out) {
    const auto add = [&](const char* name, const char* source, const char* says) {
        out.push_back({std::string("J8 ") + name, source, says});
    };
    for (const char* tag :
         {"include 'x'", "import 'x' as y", "from 'x' import y", "extends 'x'", "do x", "block b", "call x()",
          "filter upper", "with x = 1", "autoescape true", "trans", "debug", "print x", "nonsense"}) {
        const std::string text = tag;
        const std::string name = text.substr(0, text.find(' '));
        out.push_back({"J8 tag " + name, "a\n{% " + text + " %}", "line 2: unknown tag '" + name + "'"});
    }
    for (const char* name : {"attr", "safe", "format", "escape", "urlize", "random", "pprint", "nonsense"})
        out.push_back({std::string("J8 filter ") + name, std::string("{{ 1 | ") + name + " }}",
                       std::string("unknown filter '") + name + "'"});
    for (const char* name : {"filter", "escaped", "nonsense"})
        out.push_back({std::string("J8 test ") + name, std::string("{{ 1 is ") + name + " }}",
                       std::string("unknown test '") + name + "'"});
    add("mapped filter", "{{ [1] | map('nonsense') | list }}", "unknown filter 'nonsense'");
    add("computed filter", "{{ [1] | map('non' + 'sense') | list }}", "unknown filter 'nonsense'");
    add("selecting test", "{{ [1] | select('nonsense') | list }}", "unknown test 'nonsense'");
    add("attribute test", "{{ [1] | selectattr('a', 'nonsense') | list }}", "unknown test 'nonsense'");
    add("global", "{{ lipsum() }}", "the global 'lipsum' is not supported");
    add("function", "{{ nonsense(1) }}", "unknown function or method 'nonsense'");
    add("method", "{{ 'a'.encode() }}", "'encode' of str is not supported");
    add("format method", "{{ '{0.__class__}'.format(1) }}", "'format' of str is not supported");
    add("mutation", "{{ [].append(1) }}", "'append' of list is not supported");
    add("unpacking", "{{ range(*[1]) }}", "unpacked arguments (*) are not supported");
    add("date directive", "{{ strftime_now('%Q') }}", "'%Q' is not supported");
    out.push_back({"J9 class", "{{ ''.__class__.__mro__ }}", "'__class__' is undefined"});
    out.push_back({"J9 globals", "{{ raise_exception.__globals__.x }}", "'__globals__' is undefined"});
    out.push_back({"J9 subscript", "{{ ''['__class__']['__mro__'] }}", "'__class__' is undefined"});
    out.push_back({"J9 call", "{{ messages.__init__() }}", "unknown function or method '__init__'"});
    out.push_back(
        {"J9 namespace", "{% set ns = namespace() %}{% set ns._x = 1 %}", "starts with an underscore"});
    out.push_back({"J9 namespace dict", "{{ namespace({'_x': 1}) }}", "starts with an underscore"});
}

void addMalformed(Templates& out) {
    const auto add = [&](const char* name, const std::string& source, const char* says) {
        out.push_back({name, source, says});
    };
    add("J10 tag", "{% if x", "unclosed {%");
    add("J10 variable", "{{ x", "unclosed {{");
    add("J10 comment", "a\nb{# x", "line 2: unclosed comment");
    add("J10 comments", repeated("{# ", 300'000), "unclosed comment");
    add("J10 string", "{{ 'x }}", "unclosed string");
    add("J10 escape", "{{ 'x\\", "unclosed string");
    add("J10 raw", "{% raw %}{{ x }}", "unclosed raw block");
    add("J10 raws", "{% raw %}" + repeated("{% endraw ", 90'000), "unclosed raw block");
    add("J10 if", "{% if x %}", "ends before {% endif %}");
    add("J10 for", "{% for x in y %}", "ends before {% endfor %}");
    add("J10 bracket", "{{ (1] }}", "unexpected ']'");
    add("J10 open bracket", "{{ (1 }}", "unexpected '}'");
    add("J10 end", "{% endif %}", "closes nothing");
    add("J10 break", "{% break %}", "outside a loop");
    add("J10 character", "{{ 1 ? 2 }}", "unexpected character '?'");
    add("J10 identifier", "{{ é }}", "unexpected character 'é'");
    add("J10 nul", std::string("a\0b", 3), "contains NUL");
    add("J10 utf-8", "a\xff", "no UTF-8");
    add("J10 surrogate", "{{ '\\ud800' }}", "no Unicode character");
    add("J10 empty", "{{ }}", "expected an expression");
    add("J11 sum", "{{ 9223372036854775807 + 1 }}", "beyond 64 bits");
    add("J11 difference", "{{ -9223372036854775807 - 2 }}", "beyond 64 bits");
    add("J11 product", "{{ 9223372036854775807 * 2 }}", "beyond 64 bits");
    add("J11 power", "{{ 2 ** 63 }}", "beyond 64 bits");
    add("J11 huge power", "{{ 3 ** 9223372036854775807 }}", "beyond 64 bits");
    add("J11 quotient", "{{ (-9223372036854775807 - 1) // -1 }}", "beyond 64 bits");
    add("J11 sign", "{{ -(-9223372036854775807 - 1) }}", "beyond 64 bits");
    add("J11 abs", "{{ (-9223372036854775807 - 1) | abs }}", "beyond 64 bits");
    add("J11 literal", "{{ 99999999999999999999 }}", "beyond 64 bits");
    add("J11 real literal", "{{ 1e999 }}", "range of double");
    add("J11 real power", "{{ 10.0 ** 999 }}", "too large");
    for (const char* op : {"/", "//", "%"})
        for (const char* zero : {"0", "0.0"})
            out.push_back({std::string("J11 1 ") + op + " " + zero,
                           std::string("{{ 1 ") + op + " " + zero + " }}", "division by zero"});
    add("J11 infinite", "{{ (1e308 * 10) | int }}", "infinity has no integer");
    add("J11 wide int", "{{ 1e300 | int }}", "beyond 64 bits");
    add("J11 slice step", "{{ 'abc'[::0] }}", "cannot be zero");
    add("J12 message", "{{ raise_exception('<b>no</b>\\x1b[2J\\nnext') }}",
        "the template refuses: <b>no</b>\\x1b");
    add("J12 long message", "{{ raise_exception('x' * 8000000) }}", "the template refuses: xxx");
}

}  // namespace

std::vector<HostileTemplate> hostileTemplates() {
    Templates out;
    addDeep(out);
    addCalls(out);
    addFuel(out);
    addSizes(out);
    addUnknown(out);
    addMalformed(out);
    return out;
}

}  // namespace spd::test
