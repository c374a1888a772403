#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "core/config/experiment_fields.h"

namespace spd {

/// What is wrong in an experiment file, to be told all at once.
class Problems {
public:
    explicit Problems(std::string file) : file_(std::move(file)) {}

    void add(uint32_t line, const std::string& rule) { found_.insert({line, rule}); }
    void add(const toml::node& node, const std::string& rule) { add(node.source().begin.line, rule); }

    /// @throws Error invalid_argument when there are any, as readExperiment() says
    void check() const;

private:
    std::string file_;
    std::set<std::pair<uint32_t, std::string>> found_;
};

/// Puts the node's value into `value` when it has the type and keeps the rule.
/// @return empty, or what the value must be, in words.
std::string takeValue(const toml::node& node, const FieldRule& rule, bool& value);
std::string takeValue(const toml::node& node, const FieldRule& rule, int64_t& value);
/// Whole numbers count as numbers.
std::string takeValue(const toml::node& node, const FieldRule& rule, double& value);
/// Where the rule asks for a form, 16 counts as "16" and [11, 23] as "11,23".
std::string takeValue(const toml::node& node, const FieldRule& rule, std::string& value);

}  // namespace spd
