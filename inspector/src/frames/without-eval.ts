import { config } from "zod";

// Before any schema is made: a schema tries `new Function` when it is made, which the page's content security policy refuses and reports.
config({ jitless: true });
