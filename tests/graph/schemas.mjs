// Prints JSON Schemas of Microsoft Graph's types, made from the TypeScript types that Microsoft
// publishes: an object with one schema for each name in the arguments. Objects are closed. Members
// that Microsoft's comments call read-only are marked with `readOnly`.

import { tools } from '../tools/require.mjs';

const { createGenerator } = tools('ts-json-schema-generator');
const ts = tools('typescript');

const path = tools.resolve('@microsoft/microsoft-graph-types/microsoft-graph.d.ts');
const generator = createGenerator({ path, additionalProperties: false, skipTypeCheck: true });

const readOnly = readOnlyMembers();
const schemas = {};
for (const name of process.argv.slice(2)) {
    const schema = generator.createSchema(name);
    for (const [type, { properties = {} }] of Object.entries(schema.definitions)) {
        for (const member of readOnly.get(type) ?? []) {
            // The schema of a property may be a reference, whose siblings some drafts ignore.
            properties[member] = { allOf: [properties[member]], readOnly: true };
        }
    }
    schemas[name] = schema;
}
console.log(JSON.stringify(schemas));

// The read-only members of each interface, with those that it inherits. Most comments are not
// JSDoc, so the generator does not see them.
function readOnlyMembers() {
    const text = ts.sys.readFile(path);
    const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest);
    const interfaces = new Map(
        file.statements.filter(ts.isInterfaceDeclaration).map((it) => [it.name.text, it]),
    );
    const comment = (member) =>
        (ts.getLeadingCommentRanges(text, member.pos) ?? [])
            .map(({ pos, end }) => text.slice(pos, end))
            .join(' ');
    const of = (name) => {
        const { heritageClauses = [], members } = interfaces.get(name);
        const bases = heritageClauses.flatMap(({ types }) => types.map((it) => it.expression.text));
        const own = members.filter((it) => /\bread-only\b/i.test(comment(it)));
        return [...bases.flatMap(of), ...own.map((it) => it.name.text)];
    };
    return new Map([...interfaces.keys()].map((name) => [name, of(name)]));
}
