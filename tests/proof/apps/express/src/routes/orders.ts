import { Router } from "express";

import { pool } from "../db/pool.js";
import { parseOrder } from "../orders.js";

export const orders = Router();

orders.get("/", async (_req, res) => {
  const { rows } = await pool.query("SELECT id, item, quantity FROM orders ORDER BY id DESC LIMIT 50");
  res.json(rows);
});

orders.post("/", async (req, res) => {
  const order = parseOrder(req.body);
  if (order === undefined) {
    res.status(400).json({ error: "item and quantity are needed" });
    return;
  }
  const { rows } = await pool.query(
    "INSERT INTO orders (customer_id, item, quantity) VALUES ($1, $2, $3) RETURNING id, item, quantity",
    [order.customerId, order.item, order.quantity],
  );
  res.status(201).json(rows[0]);
});
