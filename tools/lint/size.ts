/** What `deno task style` warns of: files and functions that have become too long to be read at once. */
const MOST_LINES = 300;
const MOST_FUNCTION_LINES = 40;

const plugin: Deno.lint.Plugin = {
  name: "size",
  rules: {
    file: {
      create: (context) => ({
        Program(node) {
          const lines = linesOf(context.sourceCode.text);
          if (lines <= MOST_LINES) return;
          context.report({ node, message: `${lines} lines in one file, where ${MOST_LINES} are the most` });
        },
      }),
    },
    function: {
      create: (context) => {
        const look = (node: Deno.lint.Node) => {
          const lines = linesOf(context.sourceCode.getText(node)) + 1;
          if (lines <= MOST_FUNCTION_LINES) return;
          context.report({
            node,
            message: `${lines} lines in one function, where ${MOST_FUNCTION_LINES} are the most`,
          });
        };
        return {
          FunctionDeclaration: look,
          MethodDefinition: look,
          "VariableDeclarator > ArrowFunctionExpression": look,
        };
      },
    },
  },
};
export default plugin;

function linesOf(text: string): number {
  return text.split("\n").length - 1;
}
