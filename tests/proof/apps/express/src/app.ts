import express from "express";

import { orders } from "./routes/orders.js";
import { reports } from "./routes/reports.js";
import { sessions } from "./routes/sessions.js";

export const app = express();

app.use(express.json({ limit: "10mb" }));

app.get("/", (_req, res) => {
  res.json({ name: "orders" });
});

app.use("/orders", orders);
app.use("/reports", reports);
app.use("/sessions", sessions);
