#include "host/sim/read_queries.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <new>

#include "host/sim/read_vecs.h"

namespace rvf::sim {
namespace {

using Queries = std::vector<std::vector<float>>;

std::string wrong_dimension(const std::string& what, uint64_t has, const File& file) {
    return what + " has " + std::to_string(has) + (has == 1 ? " dimension" : " dimensions") +
           ", but the vectors of " + file.path + " have " + std::to_string(file.data.dimension);
}

/// A vector, and not the name of a file: numbers alone, or something with a comma that begins like
/// a number, so that "1,x" is told what is wrong with it.
bool is_list(const std::string& text) {
    static const char* const kOfNumbers = "0123456789.,+-eE \t";
    if (text.find('/') != std::string::npos) return false;
    bool numbers = text.find_first_not_of(kOfNumbers) == std::string::npos &&
                   text.find_first_of("0123456789") != std::string::npos;
    return numbers || (text.find_first_of("0123456789.+- ") == 0 && text.find(',') != text.npos);
}

/// One element of a list; blanks around it and a plus sign are taken.
std::string parse_element(const std::string& element, float& value) {
    size_t begin = std::min(element.find_first_not_of(" \t"), element.size());
    size_t end = element.find_last_not_of(" \t") + 1;
    if (element.compare(begin, 1, "+") == 0 && element.compare(begin, 2, "+-") != 0) ++begin;
    const char* last = element.data() + std::max(begin, end);
    auto [at, error] = std::from_chars(element.data() + begin, last, value);
    if (error == std::errc::result_out_of_range) {
        return "\"" + element + "\" is outside the range of f32";
    }
    if (error != std::errc() || at != last) return "\"" + element + "\" is not a number";
    return "";
}

std::string parse_list(const std::string& text, const File& file, Queries& found) {
    std::vector<float> query;
    for (size_t begin = 0; begin <= text.size();) {
        size_t end = std::min(text.find(',', begin), text.size());
        std::string element = text.substr(begin, end - begin);
        float value = 0;
        std::string error = parse_element(element, value);
        if (!error.empty()) {
            return "element " + std::to_string(query.size() + 1) + " of the query, " + error;
        }
        query.push_back(value);
        begin = end + 1;
    }
    if (query.size() != file.data.dimension) {
        return wrong_dimension("the query", query.size(), file);
    }
    found.push_back(std::move(query));
    return "";
}

std::vector<float> row_of(const hub::Data& data, size_t row) {
    auto begin = data.rows.begin() + static_cast<std::ptrdiff_t>(row * data.dimension);
    return std::vector<float>(begin, begin + data.dimension);
}

std::string parse_id(const std::string& text, const File& file, Queries& found) {
    uint64_t id = 0;
    const char* last = text.data() + text.size();
    auto [at, error] = std::from_chars(text.data(), last, id);
    if (error != std::errc() || at != last) {
        return "\"id:" + text + "\": an id is a whole number from 0 to 18446744073709551615";
    }
    auto place = std::find(file.data.ids.begin(), file.data.ids.end(), id);
    if (place == file.data.ids.end()) return file.path + " holds no vector with the id " + text;
    found.push_back(row_of(file.data, static_cast<size_t>(place - file.data.ids.begin())));
    return "";
}

std::string parse_file(const std::string& path, const File& file, size_t most, Queries& found) {
    File queries;
    ReadOptions options; // queries come from the user, whatever the profile of their file
    std::string error = read_file(path, options, queries);
    if (!error.empty()) return error;
    if (queries.data.ids.empty()) return path + " holds no vectors, so no queries";
    if (queries.data.dimension != file.data.dimension) {
        return wrong_dimension(path, queries.data.dimension, file);
    }
    for (size_t i = 0; i < std::min(most, queries.data.ids.size()); ++i) {
        found.push_back(row_of(queries.data, i));
    }
    return "";
}

} // namespace

std::string read_queries(const std::string& text, const File& file, size_t most,
                         Queries& queries) try {
    Queries found;
    std::string error;
    if (text.empty()) return "the query is empty; give a vector, id:NUMBER or a file";
    if (most == 0) return "no queries were asked for";
    if (text.starts_with("id:")) {
        error = parse_id(text.substr(3), file, found);
    } else if (is_list(text)) {
        error = parse_list(text, file, found);
    } else {
        error = parse_file(text, file, most, found);
    }
    if (!error.empty()) return error;
    for (const std::vector<float>& query : found) {
        if (std::all_of(query.begin(), query.end(), [](float v) { return std::isfinite(v); })) {
            continue;
        }
        return "query \"" + text + "\" holds NaN or an infinity; a query has to be finite";
    }
    queries.insert(queries.end(), found.begin(), found.end());
    return "";
} catch (const std::bad_alloc&) {
    return "there is not enough memory for the queries of " + text;
}

} // namespace rvf::sim
