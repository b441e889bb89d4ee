// Reads [[dialect, statement], …] as JSON and writes, for each, what dt-sql-parser's grammar finds wrong with it.
import { readFileSync } from "node:fs";
import { register } from "node:module";

// The package imports folders, as bundlers allow and Node does not.
const lenient = `export async function resolve(name, context, next) {
  for (const each of [name, name + ".js", name + "/index.js"]) {
    try { return await next(each, context); } catch (error) { if (each.endsWith("/index.js")) throw error; }
  }
}`;
register("data:text/javascript," + encodeURIComponent(lenient));
const { TrinoSQL, HiveSQL } = await import("dt-sql-parser");
const grammars = { trino: new TrinoSQL(), hive: new HiveSQL() };
const given = JSON.parse(readFileSync(0, "utf-8"));
console.log(JSON.stringify(given.map(([name, text]) => grammars[name].validate(text).map((each) => each.message))));
