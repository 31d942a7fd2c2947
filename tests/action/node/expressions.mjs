// GitHub's own expression engine as a service: one JSON request a line in, one JSON answer a line out.
//   {"text": "a ${{ inputs.b }}", "contexts": {…}}                    → {"value": "a …"}
//   {"condition": "steps.x.outputs.y != ''", "contexts": {…}, "failed": false, "cancelled": false} → {"value": true}
import { createInterface } from "node:readline";
import "./packages.mjs";

const { Evaluator, Lexer, Parser, data } = await import("@actions/expressions");
const STATUS = ["success", "failure", "always", "cancelled"];

function functions({ failed = false, cancelled = false }) {
  const values = { success: !failed && !cancelled, failure: failed && !cancelled, always: true, cancelled };
  return new Map(STATUS.map(name => {
    const call = () => new data.BooleanData(values[name]);
    return [name, { name, minArgs: 0, maxArgs: 0, call }];
  }));
}

function evaluate(expression, request) {
  const known = functions(request);
  const contexts = JSON.parse(JSON.stringify(request.contexts), data.reviver);
  const tokens = new Lexer(expression).lex().tokens;
  const tree = new Parser(tokens, Object.keys(request.contexts), [...known.values()]).parse();
  return new Evaluator(tree, contexts, known).evaluate();
}

// The text between ${{ and the }} that closes it: one inside a string does not.
function* parts(text) {
  let at = 0;
  for (let open; (open = text.indexOf("${{", at)) >= 0; ) {
    let close = open + 3;
    for (let quoted = false; quoted || !text.startsWith("}}", close); close += 1) {
      if (close >= text.length) throw new Error(`an expression is not closed: ${text}`);
      if (text[close] === "'") quoted = !quoted;
    }
    yield [text.slice(at, open), text.slice(open + 3, close)];
    at = close + 2;
  }
  yield [text.slice(at), null];
}

function answer(request) {
  if (request.condition !== undefined) {
    const whole = /^\s*\$\{\{(.*)\}\}\s*$/s.exec(request.condition);
    const expression = whole ? whole[1] : request.condition;
    const asked = new Lexer(expression).lex().tokens.some(token => STATUS.includes(token.lexeme?.toLowerCase()));
    return evaluate(`!(!(${asked ? expression : `success() && (${expression})`}))`, request).value;
  }
  let told = "";
  for (const [plain, expression] of parts(request.text)) {
    told += plain + (expression === null ? "" : evaluate(expression, request).coerceString());
  }
  return told;
}

for await (const line of createInterface({ input: process.stdin })) {
  let said;
  try {
    said = { value: answer(JSON.parse(line)) };
  } catch (error) {
    said = { error: String(error) };
  }
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
