#pragma once

#include <functional>
#include <string>
#include <vector>

namespace spd::test {

/// A tokenizer.json that must be refused.
struct HostileTokenizer {
    std::string name;  ///< "T3 merge of an unknown part"
    std::function<std::string()> text;
    std::string place;  ///< what the refusal must name
    std::string rule;   ///< words of it
};

/// At least one for each line of the list of attacks on tokenizer files (T1 to T10).
std::vector<HostileTokenizer> hostileTokenizers();

}  // namespace spd::test
