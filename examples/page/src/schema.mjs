// As much of JSON Schema as the schema of manifests has: what is wrong with a value, and what may stand in a place.
let root = null;

/** The schema that "$ref" looks in. */
export function useSchema(schema) {
    root = schema;
}

const typeOf = (value) => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);
const isType = (value, name) =>
    name === 'integer' ? Number.isInteger(value) : name === typeOf(value);
const typesOf = ({ type }) => (type === undefined ? [] : [].concat(type));
const shown = (value) => JSON.stringify(value);
export const escaped = (key) => String(key).replaceAll('~', '~0').replaceAll('/', '~1');

/** The schemas without references that hold for `value`; conditions are decided. */
export function expand(schema, value) {
    const found = [schema];
    if (schema.$ref !== undefined)
        found.push(...expand(schema.$ref.slice(2).split('/').reduce((at, name) => at[name], root), value));
    for (const part of schema.allOf ?? [])
        found.push(...expand(part, value));
    if (schema.if !== undefined) {
        const branch = isValid(schema.if, value) ? schema.then : schema.else;
        if (branch !== undefined)
            found.push(...expand(branch, value));
    }
    return found;
}

const isValid = (schema, value) => errorsOf(schema, value).length === 0;

/** Schemas of one property of an object, or of the items of an array. */
export function childSchemas(schemas, value, key) {
    const found = [];
    for (const schema of schemas) {
        const child = Array.isArray(value) ? schema.items : (schema.properties?.[key] ?? schema.additionalProperties);
        if (typeof child === 'object')
            found.push(...expand(child, value?.[key]));
    }
    return found;
}

function ownErrors(schema, value) {
    const errors = [], types = typesOf(schema), say = (message, more) => errors.push({ pointer: '', message, ...more });
    if (types.length > 0 && !types.some((name) => isType(value, name)))
        say(`must be ${types.filter((name) => name !== 'null').join(' or ')}, not ${typeOf(value)}`);
    else if (schema.enum !== undefined && !schema.enum.some((one) => one === value))
        say(`must be one of ${schema.enum.filter((one) => one !== null).map(shown).join(', ')}`);
    if (schema.not !== undefined && isValid(schema.not, value))
        say('is not allowed here');
    if (typeof value === 'number' && value < schema.minimum)
        say(`must be ${schema.minimum} at least`);
    if (typeof value === 'number' && value > schema.maximum)
        say(`must be ${schema.maximum} at most`);
    if (typeof value === 'string' && value.length < schema.minLength)
        say(schema.minLength === 1 ? 'must not be empty' : `must have ${schema.minLength} characters at least`);
    if (typeof value === 'string' && value.length > schema.maxLength)
        say(`must have ${schema.maxLength} characters at most`);
    if (typeof value === 'string' && schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(value))
        say(`must match ${schema.pattern}`);
    if (Array.isArray(value) && value.length < schema.minItems)
        say(`must have ${schema.minItems} items at least`);
    if (typeOf(value) === 'object')
        errors.push(...keyErrors(schema, value));
    return errors;
}

function keyErrors(schema, value) {
    const errors = [];
    for (const name of schema.required ?? [])
        if (!Object.hasOwn(value, name))
            errors.push({ pointer: '', message: `lacks ${shown(name)}` });
    if (schema.additionalProperties === false)
        for (const name of Object.keys(value))
            if (!Object.hasOwn(schema.properties ?? {}, name))
                errors.push({ pointer: `/${escaped(name)}`, message: `${shown(name)} is not known here`, atKey: true });
    return errors;
}

/** [{pointer, message, atKey}] of all that is wrong; `atKey`: the key itself is. */
export function errorsOf(schema, value, schemas = expand(schema, value)) {
    const errors = schemas.flatMap((one) => ownErrors(one, value));
    if (value !== null && typeof value === 'object')
        for (const key of Object.keys(value))
            for (const error of errorsOf(null, value[key], childSchemas(schemas, value, key)))
                errors.push({ ...error, pointer: `/${escaped(key)}${error.pointer}` });
    return errors;
}
