#include "digits.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>

namespace tidegate {
namespace {

constexpr size_t largest = 60000;

/// Thompson's construction: each state has an edge by a set of digits, or free edges.
struct Automaton {
    struct State {
        uint16_t digits = 0;  // bit by digit
        int to = -1;
        std::vector<int> free;
    };
    std::vector<State> states;

    int add() {
        if (states.size() > largest) throw std::length_error("too many states");
        states.emplace_back();
        return int(states.size()) - 1;
    }
};

struct Piece {
    int first, last;
};

class Parser {
  public:
    Parser(const std::string &text, Automaton &automaton) : text(text), automaton(automaton) {}

    Piece whole() {
        Piece piece = alternatives(0);
        if (at != text.size()) fail();
        return piece;
    }

  private:
    const std::string &text;
    Automaton &automaton;
    size_t at = 0;

    [[noreturn]] void fail() const { throw std::invalid_argument("not a pattern of digits"); }
    char peek() const { return at < text.size() ? text[at] : 0; }

    Piece alternatives(int depth) {
        if (depth > 30) fail();
        Piece all = {automaton.add(), automaton.add()};
        do {
            Piece one = sequence(depth);
            automaton.states[all.first].free.push_back(one.first);
            automaton.states[one.last].free.push_back(all.last);
        } while (peek() == '|' && ++at);
        return all;
    }

    Piece sequence(int depth) {
        int first = automaton.add();
        int last = first;
        while (peek() && peek() != '|' && peek() != ')') {
            const size_t begin = at;
            Piece one = atom(depth);
            unsigned least = 1, most = 1;
            repeat(least, most);
            // Every further time is read again.
            const size_t end = at;
            for (unsigned time = 1; time <= std::max(most, 1u); time++) {
                if (time > 1) {
                    at = begin;
                    one = atom(depth);
                }
                automaton.states[last].free.push_back(one.first);
                if (time > least) automaton.states[last].free.push_back(one.last);
                last = one.last;
            }
            at = end;
        }
        return {first, last};
    }

    Piece atom(int depth) {
        if (peek() == '(') {
            at++;
            if (peek() == '?') {
                if (text.compare(at, 2, "?:") != 0) fail();
                at += 2;
            }
            Piece inner = alternatives(depth + 1);
            if (peek() != ')') fail();
            at++;
            return inner;
        }
        Piece edge = {automaton.add(), automaton.add()};
        automaton.states[edge.first].digits = digits();
        automaton.states[edge.first].to = edge.last;
        return edge;
    }

    uint16_t digits() {
        const char c = peek();
        at++;
        if (c >= '0' && c <= '9') return uint16_t(1 << (c - '0'));
        if (c == '\\' && peek() == 'd') {
            at++;
            return 0x3ff;
        }
        if (c != '[') fail();
        uint16_t set = 0;
        while (peek() != ']') {
            if (peek() == '\\' && at + 1 < text.size() && text[at + 1] == 'd') {
                at += 2;
                set |= 0x3ff;
                continue;
            }
            const char low = peek();
            if (low < '0' || low > '9') fail();
            at++;
            char high = low;
            if (peek() == '-') {
                high = at + 1 < text.size() ? text[at + 1] : 0;
                at += 2;
            }
            if (high < low || high > '9') fail();
            for (char digit = low; digit <= high; digit++) set |= uint16_t(1 << (digit - '0'));
        }
        at++;
        return set;
    }

    unsigned number() {
        unsigned value = 0;
        if (peek() < '0' || peek() > '9') fail();
        while (peek() >= '0' && peek() <= '9' && value < 100) value = value * 10 + unsigned(text[at++] - '0');
        return value;
    }

    void repeat(unsigned &least, unsigned &most) {
        if (peek() == '?') {
            at++;
            least = 0;
        } else if (peek() == '{') {
            at++;
            least = most = number();
            if (peek() == ',') {
                at++;
                most = number();
            }
            if (peek() != '}' || most < least || most > 40 || most == 0) fail();
            at++;
        }
        if (peek() == '*' || peek() == '+' || peek() == '?' || peek() == '{') fail();
    }
};

}  // namespace

DigitSet::DigitSet(const std::vector<std::string> &patterns) {
    Automaton automaton;
    const int begin = automaton.add();
    const int end = automaton.add();
    for (const std::string &pattern : patterns) {
        if (pattern.empty()) continue;
        const Piece piece = Parser(pattern, automaton).whole();
        automaton.states[begin].free.push_back(piece.first);
        automaton.states[piece.last].free.push_back(end);
    }
    // Sets of states, each in order: those that one has come to by the same digits are one state here.
    std::map<std::vector<int>, uint16_t> known;
    std::vector<std::vector<int>> sets;
    std::vector<size_t> mark(automaton.states.size());  // the last round that came by
    size_t round = 0;
    auto closed = [&](std::vector<int> set) -> uint16_t {
        round++;
        std::vector<int> wait = set;
        for (int state : set) mark[size_t(state)] = round;
        set.clear();
        while (!wait.empty()) {
            const int state = wait.back();
            wait.pop_back();
            if (state == end || automaton.states[size_t(state)].to >= 0) set.push_back(state);
            for (int other : automaton.states[size_t(state)].free) {
                if (mark[size_t(other)] != round) {
                    mark[size_t(other)] = round;
                    wait.push_back(other);
                }
            }
        }
        std::sort(set.begin(), set.end());
        const auto found = known.find(set);
        if (found != known.end()) return found->second;
        if (sets.size() >= largest) throw std::length_error("too many states");
        const uint16_t name = uint16_t(sets.size());
        known.emplace(set, name);
        accepts.push_back(std::binary_search(set.begin(), set.end(), end));
        sets.push_back(std::move(set));
        return name;
    };
    closed({});
    start = closed({begin});
    for (size_t index = 0; index < sets.size(); index++) {
        for (int digit = 0; digit < 10; digit++) {
            std::vector<int> followers;
            for (int state : sets[index]) {
                const auto &edge = automaton.states[size_t(state)];
                if (edge.to >= 0 && edge.digits >> digit & 1) followers.push_back(edge.to);
            }
            next.push_back(followers.empty() ? 0 : closed(followers));
        }
    }
}

bool DigitSet::holds(const uint8_t *digits, size_t count) const {
    uint16_t state = start;
    for (size_t index = 0; index < count && state; index++) state = next[size_t(state) * 10 + digits[index]];
    return accepts[state];
}

bool DigitSet::beginsWith(const uint8_t *digits, size_t count) const {
    uint16_t state = start;
    for (size_t index = 0; index < count && state; index++) {
        state = next[size_t(state) * 10 + digits[index]];
        if (accepts[state]) return true;
    }
    return false;
}

}  // namespace tidegate
