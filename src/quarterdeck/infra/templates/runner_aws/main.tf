terraform {
  required_version = ">= 1.6"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "6.25.0"
    }
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = {
      Runner    = local.name
      ManagedBy = "quarterdeck"
    }
  }
}

locals {
  # Runners may share a name, and never the beginning of their id.
  name = "quarterdeck-runner-${substr(var.worker_id, 0, 8)}"
  environment = {
    ALETHIA_WEB_ORIGIN = var.trellis_url
    ALETHIA_WORKER_ID  = var.worker_id
    ALETHIA_RUNNER_ID  = var.worker_id
  }
}

data "aws_vpc" "default" {
  default = true
}

data "aws_subnets" "default" {
  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.default.id]
  }
}

resource "aws_secretsmanager_secret" "token" {
  name                    = "${local.name}/token"
  recovery_window_in_days = 0
}

resource "aws_secretsmanager_secret_version" "token" {
  secret_id     = aws_secretsmanager_secret.token.id
  secret_string = var.worker_token == "" ? "none" : var.worker_token
}

resource "aws_cloudwatch_log_group" "runner" {
  name              = "/${local.name}"
  retention_in_days = 30
}

resource "aws_iam_role" "start" {
  name               = "${local.name}-start"
  assume_role_policy = local.assumed_by_tasks
}

resource "aws_iam_role_policy_attachment" "start" {
  role       = aws_iam_role.start.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

resource "aws_iam_role_policy" "token" {
  name = "token"
  role = aws_iam_role.start.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "secretsmanager:GetSecretValue"
      Resource = aws_secretsmanager_secret.token.arn
    }]
  })
}

resource "aws_iam_role" "runner" {
  name               = local.name
  assume_role_policy = local.assumed_by_tasks
}

resource "aws_iam_role_policy" "assume" {
  name = "assume"
  role = aws_iam_role.runner.id

  # Whom it may become is said by the roles themselves, which trust it or not.
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "sts:AssumeRole"
      Resource = "*"
    }]
  })
}

locals {
  assumed_by_tasks = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
    }]
  })
}

resource "aws_security_group" "runner" {
  name        = local.name
  description = "The runner dials out and is dialled by nobody"
  vpc_id      = data.aws_vpc.default.id
}

resource "aws_vpc_security_group_egress_rule" "runner" {
  security_group_id = aws_security_group.runner.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}

resource "aws_ecs_cluster" "runner" {
  name = local.name
}

resource "aws_ecs_task_definition" "runner" {
  family                   = local.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory
  execution_role_arn       = aws_iam_role.start.arn
  task_role_arn            = aws_iam_role.runner.arn

  container_definitions = jsonencode([{
    name      = "runner"
    image     = "${var.image_repository}:${var.image_tag}"
    essential = true
    # It finishes the job that it has when it is asked to stop.
    stopTimeout = 120
    environment = [for name, value in local.environment : { name = name, value = value }]
    secrets = [
      for name in ["ALETHIA_WORKER_TOKEN", "ALETHIA_RUNNER_TOKEN"] :
      { name = name, valueFrom = aws_secretsmanager_secret.token.arn }
    ]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.runner.name
        awslogs-region        = var.region
        awslogs-stream-prefix = "runner"
      }
    }
  }])
}

resource "aws_ecs_service" "runner" {
  name            = local.name
  cluster         = aws_ecs_cluster.runner.id
  task_definition = aws_ecs_task_definition.runner.arn
  desired_count   = 1
  launch_type     = "FARGATE"

  network_configuration {
    subnets          = data.aws_subnets.default.ids
    security_groups  = [aws_security_group.runner.id]
    assign_public_ip = true
  }

  depends_on = [aws_secretsmanager_secret_version.token, aws_iam_role_policy.token]
}
